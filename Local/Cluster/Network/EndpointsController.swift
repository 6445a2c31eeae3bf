import Kubernetes
import Logging
import ServiceLifecycle

/// Keeps Endpoints and EndpointSlices true to the Services' selectors and the pods that stand.
struct EndpointsController: Service {
    /// Whatever went by unseen is mended after this time.
    private static let resync = Duration.seconds(60)

    let store: ObjectStore
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown { await loop() }
    }

    private func loop() async {
        // The changes first, so that nothing falls between them and the first look.
        let changes = await store.changes()
        let (touched, touch) = AsyncStream.makeStream(of: String?.self, bufferingPolicy: .unbounded)
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await change in changes {
                    if let namespace = Self.concerned(change) { touch.yield(namespace) }
                }
                touch.finish()
            }
            group.addTask {
                while !Task.isCancelled {
                    touch.yield(nil)
                    try? await Task.sleep(for: Self.resync)
                }
            }
            for await namespace in touched { await reconcile(namespace) }
            group.cancelAll()
        }
    }

    /// The namespace in which something has to be looked at.
    private static func concerned(_ change: StoreChange) -> String? {
        switch change.key.kind.storage {
        case ResourceKind.services.storage: return change.key.namespace
        case ResourceKind.endpoints.storage, ResourceKind.endpointSlices.storage:
            // Ours that somebody changed or removed; what we write ourselves changes nothing when looked at again.
            return change.key.namespace
        case ResourceKind.pods.storage:
            guard let before = change.before, let after = change.after else { return change.key.namespace }
            let parts: [[String]] = [
                ["metadata", "labels"], ["metadata", "deletionTimestamp"], ["spec", "nodeName"], ["status", "podIP"], ["status", "phase"],
                ["status", "conditions"],
            ]
            return parts.contains { before[path: $0] != after[path: $0] } ? change.key.namespace : nil
        default: return nil
        }
    }

    private func reconcile(_ namespace: String?) async {
        do {
            let services = try await store.list(.services, namespace: namespace).items
            var pods: [String: [Object]] = [:]
            for service in services where ServiceBackends.isKept(service) {
                let place = service.namespace ?? ""
                if pods[place] == nil { pods[place] = try await store.list(.pods, namespace: place).items }
                try await keep(service, ServiceBackends(service, pods: pods[place] ?? []))
            }
        } catch {
            logger.warning("endpoints could not be kept", metadata: ["namespace": "\(namespace ?? "*")", "error": "\(error)"])
        }
    }

    private func keep(_ service: Object, _ backends: ServiceBackends) async throws {
        guard service.deletionTimestamp == nil else { return }
        try await put(backends.endpoints, as: ObjectKey(.endpoints, namespace: service.namespace, name: service.name), of: service)
        let slices = backends.slices
        for (name, slice) in slices {
            try await put(slice, as: ObjectKey(.endpointSlices, namespace: service.namespace, name: name), of: service)
        }
        for key in await store.dependents(of: service.uid) where key.kind.storage == ResourceKind.endpointSlices.storage {
            if slices[key.name] == nil { try await store.remove(key) }
        }
    }

    /// Writes what the object is to be; what others added to it (annotations) stays.
    private func put(_ wanted: Object, as key: ObjectKey, of service: Object) async throws {
        do {
            guard try await store.get(key) != nil else {
                // The Service may have gone while its pods were counted.
                guard try await store.get(ObjectKey(.services, service))?.uid == service.uid else { return }
                try await store.create(wanted, as: key)
                return
            }
            try await store.update(key) { object in
                object.labels = wanted.labels
                object[path: "metadata", "ownerReferences"] = wanted[path: "metadata", "ownerReferences"]
                for part in ["subsets", "endpoints", "ports", "addressType"] where object[part] != wanted[part] {
                    object[part] = wanted[part]
                }
            }
        } catch let error as StatusError where error.code == 404 || error.code == 409 {
            // It changed under our hands, of which a change tells.
        }
    }
}
