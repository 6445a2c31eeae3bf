import Kubernetes
import PlatformModel

/// A persistent disk: a claim of a project's namespace that bears the marks.
struct Disk: Hashable, Sendable {
    enum Status: String, Sendable {
        case pending = "Pending"
        case ready = "Ready"
        case broken = "Broken"
    }

    let id: DiskReference
    let claim: ClaimSpot
    /// Of the claim, as it was read.
    let version: String
    /// Bytes: what there is, or what was asked for.
    let storage: Int64
    let status: Status
    let owner: String
    let name: DiskName?
    let org: String
    let project: String
    let createdAt: UTCTime
    let lastUsage: UTCTime?
    let lifeSpan: LifeSpan?
    let usedBytes: Int64?
    /// On its way from the namespace of old disks: nobody may take it.
    let isMoving: Bool

    /// Of the claim: a disk of the same id that was made anew is another.
    var uid: String { claim.uid }
    /// The project's, on the host.
    var namespace: String { claim.namespace }

    /// When it has been unused for too long, if it stays unused.
    var expiry: UTCTime? { isMoving ? nil : lifeSpan?.end(after: lastUsage ?? createdAt) }

    /// What a caller must hold: a project's disks go together, but a personal project's are each one's own.
    func uri(in cluster: ClusterName) -> ResourceURI {
        let project = ResourceURI(.disk, [cluster.text, org, project])
        return owner == self.project ? project.appending(id.text) : project
    }
}

extension Disk {
    /// Reads a claim; nil for one that is no disk, is being removed, or says that it belongs elsewhere than where it is. Labels can be written
    /// by people who may make claims in one namespace, so they alone say nothing about another.
    /// - Parameters:
    ///   - place: whose claims were read; nil where the host's are read whatever project they are of, among them copies of what virtual
    ///     clusters have.
    ///   - isVirtual: whether the place's own virtual cluster has it.
    init?(_ claim: PersistentVolumeClaim, in place: DiskPlace? = nil, isVirtual: Bool = false) {
        let (labels, annotations) = (claim.metadata.labels, claim.metadata.annotations)
        let found = place.map { ClaimSpot(claim, of: $0, isVirtual: isVirtual) } ?? ClaimSpot(onHost: claim)
        guard let found, let id = DiskReference(found.original?.name ?? found.name),
            labels[DiskKeys.mark.old] == DiskKeys.yes, claim.metadata.deletionTimestamp == nil, DiskKeys.deleted.value(in: labels) == nil,
            let storage = Self.storage(claim)
        else { return nil }
        let project = DiskKeys.project.value(in: labels) ?? place?.project.text ?? ""
        let org = DiskKeys.org.value(in: labels) ?? place?.org.text ?? ""
        guard !org.isEmpty, !project.isEmpty, JobPlace(org: org, project: project).namespace == found.namespace else { return nil }
        self.id = id
        self.claim = found
        self.storage = storage
        self.org = org
        self.project = project
        isMoving = DiskMove.holds(claim)
        version = claim.metadata.resourceVersion ?? ""
        status =
            switch claim.status?.phase {
            case "Bound": .ready
            case "Lost": .broken
            default: .pending
            }
        owner = (DiskKeys.user.value(in: labels) ?? "").replacing("--", with: "/")
        name = DiskKeys.name.value(in: annotations).flatMap { try? DiskName($0) }
        let made = claim.metadata.creationTimestamp.map { UTCTime($0) } ?? UTCTime(microseconds: 0)
        createdAt = DiskKeys.created.value(in: annotations).flatMap(UnixStamp.time) ?? made
        lastUsage = DiskKeys.lastUsage.value(in: annotations).flatMap(UnixStamp.time)
        lifeSpan = LifeSpan(annotation: DiskKeys.lifeSpan.value(in: annotations))
        usedBytes = DiskKeys.usedBytes.value(in: annotations).flatMap { Int64($0) }
    }

    private static func storage(_ claim: PersistentVolumeClaim) -> Int64? {
        let amounts = [claim.status?.capacity?["storage"], claim.spec?.resources?.requests?["storage"]]
        return amounts.lazy.compactMap { $0?.wholeValue }.first { $0 >= 0 }
    }
}
