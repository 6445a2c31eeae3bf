import Kubernetes

/// Which claim was read, and where.
struct ClaimSpot: Hashable, Sendable {
    /// What a claim of the host is a copy of, if a virtual cluster put it there.
    struct Original: Hashable, Sendable {
        static let nameAnnotation = "vcluster.loft.sh/object-name"
        static let uidAnnotation = "vcluster.loft.sh/object-uid"

        let name: String
        /// Older virtual clusters do not tell.
        let uid: String?
    }

    /// The project's, on the host.
    let namespace: String
    let name: String
    let uid: String
    /// Whether the project's virtual cluster has it.
    let isVirtual: Bool
    let original: Original?

    /// Of a project's own claims, wherever it has them.
    init?(_ claim: PersistentVolumeClaim, of place: DiskPlace, isVirtual: Bool) {
        guard let name = claim.metadata.name, isVirtual || claim.metadata.namespace == place.namespace else { return nil }
        namespace = place.namespace
        self.name = name
        uid = claim.metadata.uid ?? ""
        self.isVirtual = isVirtual
        original = nil
    }

    init?(onHost claim: PersistentVolumeClaim) {
        guard let name = claim.metadata.name, let namespace = claim.metadata.namespace else { return nil }
        self.namespace = namespace
        self.name = name
        uid = claim.metadata.uid ?? ""
        isVirtual = false
        let annotations = claim.metadata.annotations
        original = annotations[Original.nameAnnotation].map { Original(name: $0, uid: annotations[Original.uidAnnotation]) }
    }
}
