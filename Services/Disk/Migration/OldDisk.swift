import Kubernetes
import PlatformModel

/// A disk of the namespace that all projects once shared: whose it is, as its labels say, and what its claim in the project is like.
struct OldDisk: Hashable, Sendable {
    /// Of disks that were made before there were organizations.
    private static let noOrg = "no-org"

    let id: DiskReference
    let place: DiskPlace

    /// nil for a claim whose labels name no project.
    init?(_ claim: PersistentVolumeClaim) {
        let labels = claim.metadata.labels
        let user = DiskKeys.user.value(in: labels) ?? ""
        let owner = user.split(separator: "--").first.map(String.init) ?? user
        guard let id = claim.metadata.name.flatMap(DiskReference.init),
            let org = try? OrgName(DiskKeys.org.value(in: labels) ?? Self.noOrg),
            let project = try? ProjectName(DiskKeys.project.value(in: labels) ?? owner)
        else { return nil }
        self.id = id
        place = DiskPlace(org: org, project: project)
    }

    /// What it is called: as the claim says, else as a name that leads to it.
    static func name(of claim: PersistentVolumeClaim, _ names: [DiskNaming]) -> DiskName? {
        told(by: claim)
            ?? names.lazy.compactMap { naming in
                // Names hold no two hyphens in a row.
                let text = naming.metadata.name ?? ""
                return text.firstRange(of: "--").flatMap { try? DiskName(String(text[..<$0.lowerBound])) }
            }.first
    }

    static func told(by claim: PersistentVolumeClaim) -> DiskName? {
        DiskKeys.name.value(in: claim.metadata.annotations).flatMap { try? DiskName($0) }
    }

    /// The claim in the project's namespace.
    func copy(of claim: PersistentVolumeClaim, name: DiskName?) -> PersistentVolumeClaim? {
        guard var spec = claim.spec else { return nil }
        let (labels, annotations) = (claim.metadata.labels, claim.metadata.annotations)
        var metadata = ObjectMeta(name: id.text)
        DiskKeys.mark.write(DiskKeys.yes, to: &metadata.labels)
        DiskKeys.org.write(place.org.text, to: &metadata.labels)
        DiskKeys.project.write(place.project.text, to: &metadata.labels)
        if let user = DiskKeys.user.value(in: labels) { DiskKeys.user.write(user, to: &metadata.labels) }
        for key in [DiskKeys.created, DiskKeys.lifeSpan, DiskKeys.lastUsage, DiskKeys.usedBytes] {
            if let value = key.value(in: annotations) { key.write(value, to: &metadata.annotations) }
        }
        if let name { DiskKeys.name.write(name.text, to: &metadata.annotations) }
        metadata.labels[DiskMove.label] = DiskKeys.yes
        metadata.annotations[DiskMove.originAnnotation] = claim.metadata.uid
        if spec.volumeName?.isEmpty == true { spec.volumeName = nil }
        return PersistentVolumeClaim(metadata: metadata, spec: spec)
    }
}
