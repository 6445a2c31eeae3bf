import Kubernetes
import Logging
import ServiceLifecycle

/// When a CustomResourceDefinition goes, its objects go before it.
struct DefinitionKeeper: Service {
    static let finalizer = "customresourcecleanup.apiextensions.k8s.io"

    let objects: ObjectAPI
    let logger: Logger

    private var store: ObjectStore { objects.store }

    func run() async throws {
        let changes = await store.changes()
        for definition in try await store.list(.customResourceDefinitions).items { await follow(definition) }
        for await change in changes.cancelOnGracefulShutdown() {
            if change.key.kind == .customResourceDefinitions {
                if let after = change.after { await follow(after) }
            } else if change.after == nil, store.kinds.isCustom(change.key.kind) {
                let key = ObjectKey(.customResourceDefinitions, name: change.key.kind.qualified)
                if let definition = try? await store.get(key) { await follow(definition) }
            }
        }
    }

    private func follow(_ definition: Object) async {
        guard definition.deletionTimestamp != nil else { return }
        let kinds = KindRegistry.kinds(of: definition)
        guard let kind = kinds.first else { return await release(definition) }
        let objects = (try? await store.list(kind).items) ?? []
        for object in objects where object.deletionTimestamp == nil {
            _ = try? await self.objects.delete(ObjectKey(kind, object))
        }
        if ((try? await store.list(kind).items) ?? []).isEmpty {
            await store.endWatches(of: kind)
            await release(definition)
        }
    }

    private func release(_ definition: Object) async {
        _ = try? await store.update(ObjectKey(.customResourceDefinitions, name: definition.name)) {
            $0.finalizers = $0.finalizers.filter { $0 != DefinitionKeeper.finalizer }
        }
    }
}
