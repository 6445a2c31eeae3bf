import Foundation
import Kubernetes
import Logging
import ServiceLifecycle

/// Empties namespaces that are deleted, and lets them go when nothing is left in them.
struct NamespaceKeeper: Service {
    let objects: ObjectAPI
    let logger: Logger

    private var store: ObjectStore { objects.store }

    /// Makes the namespaces that every cluster has.
    static func prepare(_ objects: ObjectAPI) async throws {
        for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
            let namespace: Object = ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(name)]]
            do {
                _ = try await objects.create(namespace, kind: .namespaces, namespace: nil)
            } catch let error as StatusError where error.reason == "AlreadyExists" {
                continue
            }
        }
    }

    func run() async throws {
        let changes = await store.changes()
        for namespace in try await store.list(.namespaces).items { await keep(namespace.name) }
        for await change in changes.cancelOnGracefulShutdown() {
            if change.key.kind == .namespaces {
                if change.after != nil { await keep(change.key.name) }
            } else if let namespace = change.key.namespace, change.after == nil {
                // The last that was in it, perhaps.
                await keep(namespace)
            }
        }
    }

    private func keep(_ name: String) async {
        let key = ObjectKey(.namespaces, name: name)
        guard let namespace = try? await store.get(key) else { return }
        guard namespace.deletionTimestamp != nil else {
            await addDefaults(to: name)
            return
        }
        for (storage, _) in await store.contents(of: name) {
            guard let kind = store.kinds.find(storage: storage) else { continue }
            do {
                for object in try await store.list(kind, namespace: name).items where object.deletionTimestamp == nil {
                    var options = DeletionOptions()
                    options.uid = object.uid
                    options.propagation = .background
                    _ = try await objects.delete(ObjectKey(kind, object), options: options)
                }
            } catch {
                logger.info("A namespace is not empty yet", metadata: ["namespace": "\(name)", "error": "\(error)"])
            }
        }
        guard await store.contents(of: name).isEmpty else { return }
        _ = try? await store.update(key) { $0[path: "spec", "finalizers"] = nil }
    }

    /// What manifests expect to find in every namespace.
    private func addDefaults(to namespace: String) async {
        let account: Object = ["apiVersion": "v1", "kind": "ServiceAccount", "metadata": ["name": "default"]]
        if (try? await store.get(ObjectKey(.serviceAccounts, namespace: namespace, name: "default"))) == nil {
            _ = try? await objects.create(account, kind: .serviceAccounts, namespace: namespace)
        }
    }
}
