import Foundation
import Kubernetes
import PlatformModel

/// An old disk on its way from the namespace that all once shared to its project's. Pure: what is next follows from what stands in Kubernetes
/// alone, so that whoever comes later goes on.
///
/// The copy of the claim comes first and waits for the volume; only then does the old claim go, and the volume, which nothing may delete
/// meanwhile, is handed over. The copy bears a label until everything is done: by it the move is found when the old claim has gone.
struct DiskMove: Sendable {
    /// On the copy, until the move has ended.
    static let label = "platform.apolo.us/disk-move"
    /// On the copy: the uid of the claim that it is a copy of.
    static let originAnnotation = "platform.apolo.us/disk-move-from"
    /// On the volume: what is to become of it when its claim goes, as it was before the move.
    static let policyAnnotation = "platform.apolo.us/disk-move-reclaim-policy"
    /// On the volume: the uid of the claim that will have it. Once it is there the move is not taken back.
    static let heirAnnotation = "platform.apolo.us/disk-move-to"

    /// Seconds.
    private static let longest = 3600.0

    enum Step: Hashable, Sendable {
        /// The volume is kept when its claim goes, and it is remembered what was to become of it.
        case keepVolume
        /// The volume is as it was before.
        case putBack
        /// The name and the claim in the project's namespace.
        case copy
        /// A copy that does not fit any more goes.
        case discardCopy
        case appointHeir
        case deleteOld
        case handOver
        case restorePolicy
        case freeOldNames
        case finish
    }

    enum Next: Hashable, Sendable {
        case step(Step)
        /// Kubernetes is at work.
        case wait
        /// A reason that does not pass by itself.
        case leave(String)
        case done
    }

    let source: String
    let id: DiskReference
    let old: PersistentVolumeClaim?
    let copy: PersistentVolumeClaim?
    /// The one that the old claim has, else the one that the copy wants.
    let volume: KubernetesObject?
    /// Whether a pod that has not ended mounts the old claim.
    let isUsed: Bool
    /// Names in the old namespace.
    let names: [DiskNaming]

    var next: Next {
        if let old { return beforeTheOldIsGone(old) }
        return copy.map(afterwards) ?? .done
    }

    private func beforeTheOldIsGone(_ old: PersistentVolumeClaim) -> Next {
        let volumeName = old.spec?.volumeName ?? ""
        if let copy {
            guard Self.isMoving(copy), copy.metadata.annotations[Self.originAnnotation] == old.metadata.uid else {
                return .leave("another claim of its name stands in the project")
            }
            guard copy.spec?.volumeName ?? "" == volumeName else {
                // It was made when the old one had none yet.
                return (copy.spec?.volumeName ?? "").isEmpty ? .step(.discardCopy) : .leave("the copy has got another volume")
            }
        } else if old.metadata.deletionTimestamp != nil, volume?.metadata.annotations[Self.heirAnnotation] == nil {
            return .leave("it is being deleted")
        }
        guard volumeName.isEmpty else { return beforeTheOldIsGone(old, boundTo: volumeName) }
        guard copy != nil else { return isUsed ? .leave("a pod uses it") : .step(.copy) }
        if old.metadata.deletionTimestamp != nil { return .wait }
        return isUsed ? .leave("a pod uses it") : .step(.deleteOld)
    }

    private func beforeTheOldIsGone(_ old: PersistentVolumeClaim, boundTo name: String) -> Next {
        guard let volume, volume.metadata.name == name else { return .leave("its volume is not there") }
        guard Self.claim(of: volume)?["uid"]?.string == old.metadata.uid else { return .leave("its volume is another claim's") }
        let isAppointed = copy?.metadata.uid.map { volume.metadata.annotations[Self.heirAnnotation] == $0 } ?? false
        guard old.metadata.deletionTimestamp == nil else {
            guard Self.isKept(volume) else { return .step(.keepVolume) }
            guard copy != nil else { return .step(.copy) }
            return isAppointed ? .wait : .step(.appointHeir)
        }
        guard !isUsed else {
            let isBegun =
                volume.metadata.annotations[Self.policyAnnotation] != nil && volume.metadata.annotations[Self.heirAnnotation] == nil
            return isBegun ? .step(.putBack) : .leave("a pod uses it")
        }
        // What its project refuses changes nothing of the volume.
        guard copy != nil else { return .step(.copy) }
        guard Self.isKept(volume) else { return .step(.keepVolume) }
        return .step(isAppointed ? .deleteOld : .appointHeir)
    }

    private func afterwards(_ copy: PersistentVolumeClaim) -> Next {
        guard Self.isMoving(copy) else { return .done }
        if let wanted = copy.spec?.volumeName, !wanted.isEmpty {
            guard let volume, volume.metadata.name == wanted else { return .leave("its volume is not there") }
            let reference = Self.claim(of: volume)
            guard let uid = reference?["uid"]?.string, uid == copy.metadata.uid else {
                // Whoever may make claims in a namespace may make one that looks like a copy; nobody but us appoints the heir.
                guard volume.metadata.annotations[Self.heirAnnotation] == copy.metadata.uid,
                    reference.map({ $0["namespace"]?.string == source && $0["name"]?.string == id.text }) ?? true
                else { return .leave("its volume is another claim's") }
                return Self.isKept(volume) ? .step(.handOver) : .step(.keepVolume)
            }
            if volume.metadata.annotations[Self.policyAnnotation] != nil {
                // Before both sides know each other, Kubernetes may still take the volume for one that was given up.
                let isBound = copy.status?.phase == "Bound" && volume["status"]?["phase"]?.string == "Bound"
                return isBound ? .step(.restorePolicy) : .wait
            }
        }
        return .step(names.isEmpty ? .finish : .freeOldNames)
    }

    static func isMoving(_ claim: PersistentVolumeClaim) -> Bool { claim.metadata.labels[label] != nil }

    /// Whether a move keeps the copy from being removed. Whoever may make claims can write the label too, and then keeps it no longer than a move
    /// takes at the most.
    static func holds(_ copy: PersistentVolumeClaim, at time: Date = Date()) -> Bool {
        isMoving(copy) && (copy.metadata.creationTimestamp.map { time.timeIntervalSince($0) < longest } ?? true)
    }

    static func claim(of volume: KubernetesObject) -> JSONValue? {
        volume["spec"]?["claimRef"].flatMap { $0 == .null ? nil : $0 }
    }

    static func policy(of volume: KubernetesObject) -> String? { volume["spec"]?["persistentVolumeReclaimPolicy"]?.string }

    private static func isKept(_ volume: KubernetesObject) -> Bool {
        policy(of: volume) == "Retain" && volume.metadata.annotations[policyAnnotation] != nil
    }
}

extension ResourceKind where Object == KubernetesObject {
    static var persistentVolumes: Self { .init(version: "v1", kind: "PersistentVolume", plural: "persistentvolumes", isNamespaced: false) }
}
