import Foundation
import Kubernetes
import Logging
import ServiceLifecycle
import Synchronization

/// Gives claims their volumes, keeps both while they are used, and takes back what was given.
final class VolumeController: Service {
    static let claimProtection = "kubernetes.io/pvc-protection"
    static let volumeProtection = "kubernetes.io/pv-protection"
    /// What could not be done (a directory that did not go) is tried again after this time.
    private static let resync = Duration.seconds(30)

    private let store: ObjectStore
    private let directories: VolumeDirectories
    private let events: EventRecorder
    private let logger: Logger
    /// What was last told of a claim that waits, and when.
    private let told = Mutex<[String: (message: String, time: ContinuousClock.Instant)]>([:])

    /// - Parameter folder: the cluster's.
    init(store: ObjectStore, folder: String, logger: Logger) {
        self.store = store
        self.logger = logger
        directories = VolumeDirectories(folder: folder)
        events = EventRecorder(store: store, node: "", logger: logger)
    }

    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in await loop() }
    }

    private func loop() async {
        let changes = await store.changes()
        // Once more is enough, whatever has changed meanwhile.
        let (touched, touch) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        await makeStandardClass()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [events] in await events.run() }
            group.addTask {
                for await change in changes where Self.concerns(change) { touch.yield() }
                touch.finish()
            }
            group.addTask {
                while !Task.isCancelled {
                    touch.yield()
                    try? await Task.sleep(for: Self.resync)
                }
            }
            for await _ in touched { await reconcile() }
            events.close()
            group.cancelAll()
        }
    }

    private static func concerns(_ change: StoreChange) -> Bool {
        switch change.key.kind.storage {
        case ResourceKind.persistentVolumeClaims.storage, ResourceKind.persistentVolumes.storage, ResourceKind.storageClasses.storage:
            return true
        case ResourceKind.pods.storage:
            guard let pod = change.before, !claims(of: pod).isEmpty else { return false }
            return change.after.map { hasEnded($0) } ?? true
        default: return false
        }
    }

    private func makeStandardClass() async {
        do {
            let key = ObjectKey(.storageClasses, name: StorageClasses.standardName)
            if try await store.get(key) == nil { try await store.create(StorageClasses.standard, as: key) }
        } catch {
            logger.warning("the storage class could not be made", metadata: ["error": "\(error)"])
        }
    }

    private func reconcile() async {
        do {
            let classes = try await store.list(.storageClasses).items
            for claim in try await store.list(.persistentVolumeClaims).items {
                await attempt(claim, .persistentVolumeClaims) { try await keep(claim, classes) }
            }
            for volume in try await store.list(.persistentVolumes).items {
                await attempt(volume, .persistentVolumes) { try await keep(volume: volume) }
            }
        } catch {
            logger.warning("volumes could not be listed", metadata: ["error": "\(error)"])
        }
    }

    /// One object that cannot be dealt with does not hold up the others.
    private func attempt(_ object: Object, _ kind: ResourceKind, _ body: () async throws -> Void) async {
        do {
            try await body()
        } catch let error as StatusError where error.code == 404 || error.code == 409 {
            // It changed under our hands, of which a change tells.
        } catch {
            logger.warning(
                "storage could not be kept", metadata: ["object": "\(ObjectKey(kind, object))", "error": "\(error)"])
        }
    }

    // MARK: Claims

    private func keep(_ claim: Object, _ classes: [Object]) async throws {
        let key = ObjectKey(.persistentVolumeClaims, claim)
        guard claim.deletionTimestamp == nil else {
            guard claim.finalizers.contains(Self.claimProtection), try await !isUsed(claim) else { return }
            try await store.update(key, uid: claim.uid) { $0.finalizers.removeAll { $0 == Self.claimProtection } }
            return
        }
        if claim[path: "status", "phase"]?.string == "Bound" { return try await keep(bound: claim, classes) }
        let volumes = try await store.list(.persistentVolumes).items
        switch ClaimBinding(claim, volumes: volumes, classes: classes) {
        case .bind(let name):
            try await bind(claim, to: name, classes)
        case .provision(let storageClass, let policy):
            let volume = try await provision(claim, storageClass, policy)
            try await bind(claim, to: volume.name, classes)
            events.record(
                claim, kind: .persistentVolumeClaims, "ProvisioningSucceeded", "Successfully provisioned volume \(volume.name)",
                component: StorageClasses.provisioner)
        case .wait(let reason, let message):
            if !claim.finalizers.contains(Self.claimProtection) {
                try await store.update(key, uid: claim.uid) { $0.finalizers.append(Self.claimProtection) }
            }
            guard mustTell(message, of: claim) else { return }
            events.record(
                claim, kind: .persistentVolumeClaims, type: reason == "ProvisioningFailed" ? "Warning" : "Normal", reason, message,
                component: "persistentvolume-controller")
        }
    }

    /// The same again only now and then.
    private func mustTell(_ message: String, of claim: Object) -> Bool {
        told.withLock { told in
            told = told.filter { $0.value.time.duration(to: .now) < Self.resync / 2 }
            guard told[claim.uid]?.message != message else { return false }
            told[claim.uid] = (message, .now)
            return true
        }
    }

    private func provision(_ claim: Object, _ storageClass: String, _ policy: String) async throws -> Object {
        let name = "pvc-\(claim.uid)"
        let key = ObjectKey(.persistentVolumes, name: name)
        if let volume = try await store.get(key) { return volume }
        try directories.make(name)
        let volume: Object = [
            "apiVersion": "v1", "kind": "PersistentVolume",
            "metadata": [
                "name": .string(name), "annotations": ["pv.kubernetes.io/provisioned-by": .string(StorageClasses.provisioner)],
                "finalizers": [.string(Self.volumeProtection)],
            ],
            "spec": [
                "capacity": ["storage": StorageAmount.requested(claim) ?? "0"], "accessModes": claim[path: "spec", "accessModes"] ?? [],
                "hostPath": ["path": .string(directories.path(name)), "type": "Directory"], "claimRef": Self.reference(claim),
                "persistentVolumeReclaimPolicy": .string(policy), "storageClassName": .string(storageClass),
                "volumeMode": claim[path: "spec", "volumeMode"] ?? "Filesystem",
            ],
            "status": ["phase": "Bound"],
        ]
        return try await store.create(volume, as: key)
    }

    private static func reference(_ claim: Object) -> JSONValue {
        [
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": claim.namespace.map { .string($0) } ?? .null,
            "name": .string(claim.name), "uid": .string(claim.uid),
        ]
    }

    /// The volume first: a volume that knows its claim is found again if this ends halfway.
    private func bind(_ claim: Object, to name: String, _ classes: [Object]) async throws {
        let reference = Self.reference(claim)
        let volume = try await store.update(ObjectKey(.persistentVolumes, name: name)) { volume in
            volume[path: "spec", "claimRef"] = reference
            volume[path: "status", "phase"] = "Bound"
            if !volume.finalizers.contains(Self.volumeProtection) { volume.finalizers.append(Self.volumeProtection) }
        }
        let className = volume[path: "spec", "storageClassName"] ?? .string(ClaimBinding.className(of: claim, classes))
        try await store.update(ObjectKey(.persistentVolumeClaims, claim), uid: claim.uid) { claim in
            guard claim.deletionTimestamp == nil else { return }
            if !claim.finalizers.contains(Self.claimProtection) { claim.finalizers.append(Self.claimProtection) }
            claim.annotations["pv.kubernetes.io/bind-completed"] = "yes"
            claim.annotations["pv.kubernetes.io/bound-by-controller"] = "yes"
            if let provisioner = volume.annotations["pv.kubernetes.io/provisioned-by"] {
                claim.annotations["volume.kubernetes.io/storage-provisioner"] = provisioner
            }
            claim[path: "spec", "volumeName"] = .string(name)
            claim[path: "spec", "storageClassName"] = className
            claim[path: "status", "phase"] = "Bound"
            claim[path: "status", "accessModes"] = volume[path: "spec", "accessModes"]
            claim[path: "status", "capacity"] = volume[path: "spec", "capacity"]
        }
    }

    /// Grows with its claim; a claim whose volume has gone is lost.
    private func keep(bound claim: Object, _ classes: [Object]) async throws {
        let key = ObjectKey(.persistentVolumeClaims, claim)
        let volumeKey = ObjectKey(.persistentVolumes, name: claim[path: "spec", "volumeName"]?.string ?? "")
        guard let volume = try await store.get(volumeKey) else {
            try await store.update(key, uid: claim.uid) { $0[path: "status", "phase"] = "Lost" }
            return events.record(
                claim, kind: .persistentVolumeClaims, type: "Warning", "ClaimLost",
                "Bound claim has lost its PersistentVolume. Data on the volume is lost!", component: "persistentvolume-controller")
        }
        guard let wanted = StorageAmount.requested(claim), let bytes = StorageAmount.bytes(wanted), directories.has(volume),
            let present = StorageAmount.bytes(StorageAmount.capacity(volume))
        else { return }
        if bytes > present {
            let growing = classes.first { $0.name == claim[path: "spec", "storageClassName"]?.string }
            guard growing?["allowVolumeExpansion"]?.bool ?? false else { return }
            try await store.update(volumeKey) { $0[path: "spec", "capacity", "storage"] = wanted }
            try await store.update(key, uid: claim.uid) { $0[path: "status", "capacity", "storage"] = wanted }
        } else if claim[path: "status", "capacity"] != volume[path: "spec", "capacity"] {
            try await store.update(key, uid: claim.uid) { $0[path: "status", "capacity"] = volume[path: "spec", "capacity"] }
        }
    }

    // MARK: Volumes

    private func keep(volume: Object) async throws {
        let key = ObjectKey(.persistentVolumes, volume)
        guard let reference = volume[path: "spec", "claimRef"], let name = reference["name"]?.string else {
            if volume.deletionTimestamp != nil { return try await release(volume, key) }
            if volume[path: "status", "phase"]?.string != "Available" {
                try await store.update(key, uid: volume.uid) { $0[path: "status", "phase"] = "Available" }
            }
            return
        }
        let claim = try await store.get(ObjectKey(.persistentVolumeClaims, namespace: reference["namespace"]?.string, name: name))
        // Set aside for a claim that has not come yet.
        guard let uid = reference["uid"]?.string, !uid.isEmpty else { return }
        if let claim, claim.uid == uid { return }
        if volume[path: "status", "phase"]?.string != "Released" {
            try await store.update(key, uid: volume.uid) { $0[path: "status", "phase"] = "Released" }
        }
        guard volume[path: "spec", "persistentVolumeReclaimPolicy"]?.string == "Delete", directories.has(volume) else {
            if volume.deletionTimestamp != nil { try await release(volume, key) }
            return
        }
        // Somebody may have taken the claim's protection away while pods were using it.
        let pods = try await store.list(.pods, namespace: reference["namespace"]?.string).items
        let newer = claim?.creationTimestamp
        let isUsed = pods.contains { pod in
            Self.uses(pod, name) && newer.map { (pod.creationTimestamp ?? .distantPast) < $0 } ?? true
        }
        guard !isUsed else { return }
        try await directories.remove(volume.name)
        try await release(volume, key)
        try await store.remove(key, uid: volume.uid)
    }

    private func release(_ volume: Object, _ key: ObjectKey) async throws {
        guard volume.finalizers.contains(Self.volumeProtection) else { return }
        try await store.update(key, uid: volume.uid) { $0.finalizers.removeAll { $0 == Self.volumeProtection } }
    }

    // MARK: Pods

    private func isUsed(_ claim: Object) async throws -> Bool {
        try await store.list(.pods, namespace: claim.namespace).items.contains { Self.uses($0, claim.name) }
    }

    /// A pod that stands on a node and has not ended.
    private static func uses(_ pod: Object, _ claim: String) -> Bool {
        pod[path: "spec", "nodeName"]?.string?.isEmpty == false && !hasEnded(pod) && claims(of: pod).contains(claim)
    }

    private static func hasEnded(_ pod: Object) -> Bool {
        ["Succeeded", "Failed"].contains(pod[path: "status", "phase"]?.string ?? "")
    }

    private static func claims(of pod: Object) -> [String] {
        (pod[path: "spec", "volumes"]?.array ?? []).compactMap { $0[path: "persistentVolumeClaim", "claimName"]?.string }
    }
}
