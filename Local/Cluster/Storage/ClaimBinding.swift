import Kubernetes

/// What is to become of a claim. Pure.
enum ClaimBinding: Equatable {
    /// An existing volume is the claim's.
    case bind(volume: String)
    /// A directory is to be made for it.
    case provision(storageClass: String, policy: String)
    /// Nothing can be done; why, in the words of Kubernetes' controller.
    case wait(reason: String, message: String)

    init(_ claim: Object, volumes: [Object], classes: [Object]) {
        let className = Self.className(of: claim, classes)
        if let name = claim[path: "spec", "volumeName"]?.string, !name.isEmpty {
            guard let volume = volumes.first(where: { $0.name == name }) else {
                self = .wait(reason: "FailedBinding", message: "volume \"\(name)\" not found")
                return
            }
            self =
                Self.isFree(volume, for: claim)
                ? .bind(volume: name) : .wait(reason: "FailedBinding", message: "volume \"\(name)\" already bound to a different claim.")
            return
        }
        // One that was made for this claim, or that somebody set aside for it.
        if let volume = volumes.first(where: { $0[path: "spec", "claimRef"] != nil && Self.isFree($0, for: claim) }) {
            self = .bind(volume: volume.name)
            return
        }
        let fitting = volumes.filter { Self.fits($0, claim, className) }
        if let volume = fitting.min(by: { (Self.size($0), $0.name) < (Self.size($1), $1.name) }) {
            self = .bind(volume: volume.name)
            return
        }
        self = Self.provisioning(claim, className, classes)
    }

    private static func provisioning(_ claim: Object, _ className: String, _ classes: [Object]) -> ClaimBinding {
        guard !className.isEmpty else {
            return .wait(
                reason: "FailedBinding", message: "no persistent volumes available for this claim and no storage class is set")
        }
        guard let found = classes.first(where: { $0.name == className }) else {
            return .wait(reason: "ProvisioningFailed", message: "storageclass.storage.k8s.io \"\(className)\" not found")
        }
        let provisioner = found["provisioner"]?.string ?? ""
        guard provisioner == StorageClasses.provisioner else {
            return .wait(
                reason: "ExternalProvisioning",
                message: "waiting for a volume to be created, either by external provisioner \"\(provisioner)\" or manually created by "
                    + "system administrator")
        }
        guard claim[path: "spec", "volumeMode"]?.string != "Block" else {
            return .wait(reason: "ProvisioningFailed", message: "a directory cannot be a block device: volumeMode must be Filesystem")
        }
        guard claim[path: "spec", "dataSource"] == nil, claim[path: "spec", "dataSourceRef"] == nil else {
            return .wait(reason: "ProvisioningFailed", message: "a directory cannot be made from a data source")
        }
        guard claim[path: "spec", "selector"] == nil else {
            return .wait(reason: "ProvisioningFailed", message: "claim Selector is not supported")
        }
        return .provision(storageClass: className, policy: found["reclaimPolicy"]?.string ?? "Delete")
    }

    /// Empty for a claim that wants none.
    static func className(of claim: Object, _ classes: [Object]) -> String {
        claim[path: "spec", "storageClassName"]?.string ?? claim.annotations["volume.beta.kubernetes.io/storage-class"]
            ?? StorageClasses.defaultClass(classes)?.name ?? ""
    }

    /// Whether nobody else has the volume. A claim of the same name that went is somebody else.
    private static func isFree(_ volume: Object, for claim: Object) -> Bool {
        guard volume.deletionTimestamp == nil, let reference = volume[path: "spec", "claimRef"], reference != .null else {
            return volume.deletionTimestamp == nil
        }
        guard reference["name"]?.string == claim.name, reference["namespace"]?.string == claim.namespace else { return false }
        return reference["uid"]?.string.map { $0.isEmpty || $0 == claim.uid } ?? true
    }

    private static func fits(_ volume: Object, _ claim: Object, _ className: String) -> Bool {
        guard isFree(volume, for: claim), volume[path: "spec", "claimRef"] == nil,
            volume[path: "spec", "storageClassName"]?.string ?? "" == className,
            volume[path: "spec", "volumeMode"]?.string ?? "Filesystem" == claim[path: "spec", "volumeMode"]?.string ?? "Filesystem",
            let wanted = StorageAmount.bytes(StorageAmount.requested(claim)), size(volume) >= wanted
        else { return false }
        let offered = Set((volume[path: "spec", "accessModes"]?.array ?? []).compactMap(\.string))
        guard (claim[path: "spec", "accessModes"]?.array ?? []).allSatisfy({ offered.contains($0.string ?? "") }) else { return false }
        let labels = (claim[path: "spec", "selector", "matchLabels"]?.object ?? [:]).compactMapValues(\.string)
        // Expressions are rare here: a claim that has them is bound by naming its volume.
        guard claim[path: "spec", "selector", "matchExpressions"]?.array?.isEmpty ?? true else { return false }
        return labels.allSatisfy { volume.labels[$0] == $1 }
    }

    private static func size(_ volume: Object) -> Double { StorageAmount.bytes(StorageAmount.capacity(volume)) ?? 0 }
}
