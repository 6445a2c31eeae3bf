import Kubernetes
import Logging
import PlatformModel

/// Takes moves on, a step at a time. Each step changes what was looked at and nothing else, so that several who do the same do no harm.
struct DiskMover: Sendable {
    enum Outcome: Hashable, Sendable {
        case moved
        /// Kubernetes is at work.
        case waiting
        case left(String)
        /// The steps that were allowed have been done.
        case interrupted
    }

    /// More than a move has, with what others may come between.
    private static let limit = 50

    let store: DiskStore
    /// Where all disks once were.
    let source: String
    let logger: Logger

    private var client: KubernetesClient { store.client }

    /// Those that have not moved, and those whose move has not ended.
    func disks() async throws -> [OldDisk] {
        let selector = Selector("\(DiskStore.marked),!\(DiskKeys.deleted.old)")
        var disks: [OldDisk] = []
        for claim in try await client.list(.persistentVolumeClaims, in: source, labels: selector).items {
            if let disk = OldDisk(claim) {
                disks.append(disk)
            } else {
                logger.warning("an old disk says of no project that it is its", metadata: ["claim": "\(claim.metadata.name ?? "")"])
            }
        }
        let moving = try await client.list(.persistentVolumeClaims, labels: Selector(DiskMove.label)).items
        return disks + moving.compactMap(OldDisk.init).filter { !disks.contains($0) }
    }

    /// - Parameter steps: how many may be done.
    func advance(_ disk: OldDisk, steps: Int = limit) async throws -> Outcome {
        guard disk.place.namespace != source else { return .left("the namespace is its project's") }
        for _ in 0..<steps {
            let move = try await look(at: disk)
            switch move.next {
            case .done: return .moved
            case .wait: return .waiting
            case .leave(let reason): return .left(reason)
            case .step(let step):
                do {
                    if let reason = try await perform(step, of: move, disk) { return .left(reason) }
                } catch let error as KubernetesError where error.isConflict || error.isAlreadyExists || error.isNotFound {
                    // It has changed meanwhile: look again.
                }
            }
        }
        return .interrupted
    }

    /// The old claim first: where it has gone, the copy stands or somebody has removed it. The pods last: they change most.
    private func look(at disk: OldDisk) async throws -> DiskMove {
        let (id, namespace) = (disk.id, disk.place.namespace)
        let old = try await client.find(.persistentVolumeClaims, id.text, in: source)
        let copy = try await client.find(.persistentVolumeClaims, id.text, in: namespace)
        let name = [old, copy].compactMap { $0?.spec?.volumeName }.first { !$0.isEmpty }
        var volume: KubernetesObject?
        if let name { volume = try await client.find(.persistentVolumes, name) }
        var names: [DiskNaming] = []
        // Read when a name is to be found, and at the end.
        let isEnding = old == nil && volume?.metadata.annotations[DiskMove.policyAnnotation] == nil
        if isEnding || copy == nil && old.flatMap(OldDisk.told) == nil { names = try await self.names(of: id) }
        let isUsed = old == nil ? false : try await isUsed(id)
        return DiskMove(source: source, id: id, old: old, copy: copy, volume: volume, isUsed: isUsed, names: names)
    }

    private func names(of id: DiskReference) async throws -> [DiskNaming] {
        do {
            return try await client.list(.diskNamings, in: source).items.filter { $0.spec.diskID == id.text }
        } catch let error as KubernetesError where error.isNotFound {
            // The cluster knows of no names.
            return []
        }
    }

    private func isUsed(_ id: DiskReference) async throws -> Bool {
        let place = UsageBook.Place(namespace: source, claim: id.text)
        return try await client.list(.pods, in: source).items.contains {
            !["Succeeded", "Failed"].contains($0.status?.phase ?? "") && UsageBook.places($0).contains(place)
        }
    }

    // MARK: Steps

    /// - Returns: why the disk is left alone, if it is.
    private func perform(_ step: DiskMove.Step, of move: DiskMove, _ disk: OldDisk) async throws -> String? {
        let namespace = disk.place.namespace
        switch step {
        case .keepVolume:
            guard let volume = move.volume else { break }
            // What was remembered first counts.
            let policy = volume.metadata.annotations[DiskMove.policyAnnotation] ?? DiskMove.policy(of: volume) ?? "Retain"
            try await change(volume, policy: "Retain", [DiskMove.policyAnnotation: .string(policy)])
        case .putBack, .restorePolicy:
            guard let volume = move.volume, let policy = volume.metadata.annotations[DiskMove.policyAnnotation] else { break }
            try await change(volume, policy: policy, [DiskMove.policyAnnotation: .null, DiskMove.heirAnnotation: .null])
        case .appointHeir:
            guard let volume = move.volume, let uid = move.copy?.metadata.uid else { break }
            try await change(volume, policy: nil, [DiskMove.heirAnnotation: .string(uid)])
        case .copy: return try await copy(move, disk)
        case .discardCopy: if let copy = move.copy { try await delete(copy, in: namespace) }
        case .deleteOld: if let old = move.old { try await delete(old, in: source) }
        case .handOver:
            guard let volume = move.volume, let uid = move.copy?.metadata.uid else { break }
            let reference: JSONValue = [
                "apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": .string(namespace), "name": .string(disk.id.text),
                "uid": .string(uid), "resourceVersion": .null,
            ]
            try await change(volume, ["spec": ["claimRef": reference]])
        case .freeOldNames:
            for naming in move.names { try await store.names.free(naming.metadata.name ?? "", of: disk.id, in: source) }
        case .finish:
            guard let copy = move.copy else { break }
            let meta: JSONValue = [
                "uid": .string(copy.metadata.uid ?? ""), "labels": .object([DiskMove.label: .null]),
                "annotations": .object([DiskMove.originAnnotation: .null]),
            ]
            try await client.patch(.persistentVolumeClaims, disk.id.text, in: namespace, .merge(["metadata": meta]))
            logger.notice("an old disk has moved to its project", metadata: ["disk": "\(disk.id)", "namespace": "\(namespace)"])
        }
        return nil
    }

    private func copy(_ move: DiskMove, _ disk: OldDisk) async throws -> String? {
        guard let old = move.old else { return nil }
        guard try await !store.isInVirtualCluster(disk.place) else {
            return "its project has a virtual cluster, which cannot have the volume"
        }
        do {
            try await ProjectNamespaces(client: client).ensure(disk.place)
        } catch DiskRefusal.placeUnusable(let reason) {
            return reason
        }
        let name = try await name(OldDisk.name(of: old, move.names), of: disk)
        guard let copy = disk.copy(of: old, name: name) else { return "its claim says nothing of a volume" }
        try await client.create(.persistentVolumeClaims, copy, in: disk.place.namespace)
        return nil
    }

    /// The name, if it can be had in the project.
    private func name(_ name: DiskName?, of disk: OldDisk) async throws -> DiskName? {
        guard let name else { return nil }
        if try await store.names.holder(of: name, in: disk.place) == disk.id { return name }
        do {
            try await store.names.take(name, for: disk.id, in: disk.place)
            return name
        } catch DiskRefusal.nameUsed {
            logger.warning(
                "an old disk loses its name: its project has another disk of that name",
                metadata: ["disk": "\(disk.id)", "name": "\(name)", "namespace": "\(disk.place.namespace)"])
            return nil
        }
    }

    /// Exactly the claim that was looked at, unchanged.
    private func delete(_ claim: PersistentVolumeClaim, in namespace: String) async throws {
        var options = DeleteOptions(uid: claim.metadata.uid)
        options.resourceVersion = claim.metadata.resourceVersion
        try await client.delete(.persistentVolumeClaims, claim.metadata.name ?? "", in: namespace, options)
    }

    private func change(_ volume: KubernetesObject, policy: String?, _ annotations: [String: JSONValue]) async throws {
        let spec: JSONValue = .object(policy.map { ["persistentVolumeReclaimPolicy": .string($0)] } ?? [:])
        try await change(volume, ["metadata": ["annotations": .object(annotations)], "spec": spec])
    }

    /// Conflicts when the volume has changed since it was read.
    private func change(_ volume: KubernetesObject, _ patch: JSONValue) async throws {
        var patch = patch
        var metadata = patch["metadata"] ?? .object([:])
        metadata["resourceVersion"] = .string(volume.metadata.resourceVersion ?? "")
        patch["metadata"] = metadata
        try await client.patch(.persistentVolumes, volume.metadata.name ?? "", .merge(patch))
    }
}
