import Foundation
import Logging
import PlatformClients
import PlatformModel
import ServiceLifecycle

/// Makes clusters do what the job records say: one `ClusterController` for every cluster whose credentials config-api gives, started, told of
/// changes and stopped as the configuration says.
struct JobController: Service {
    let store: JobStore
    let effects: JobEffects
    let clusters: ClusterRegistry
    let admin: AdminClient
    let settings: ControllerSettings
    let logger: Logger
    /// Names this process's life in the leases.
    let holder = "\(ProcessInfo.processInfo.hostName)/\(UUID().uuidString.lowercased())"

    private struct Running {
        let kubeconfig: String
        let document: Mutexed<ClusterDocument>
        let task: Task<Void, Never>
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var running: [String: Running] = [:]
            for await documents in await clusters.changes() {
                for (name, one) in running where documents[name]?.kubernetes?.kubeconfig != one.kubeconfig {
                    one.task.cancel()
                    await one.task.value
                    running[name] = nil
                }
                for (name, document) in documents {
                    guard let kubeconfig = document.kubernetes?.kubeconfig else { continue }
                    if let one = running[name] { one.document.set(document) } else { running[name] = start(document, kubeconfig) }
                }
            }
            // Owned here: none outlives this method, so leases are given back before the pool closes.
            for one in running.values { one.task.cancel() }
            for one in running.values { await one.task.value }
        }
    }

    private func start(_ document: ClusterDocument, _ kubeconfig: String) -> Running {
        let shared = Mutexed(document)
        let name = document.name.text
        var logger = logger
        logger[metadataKey: "cluster"] = "\(name)"
        let controller = ClusterController(
            name: name, document: shared, store: store, effects: effects, settings: settings,
            gate: QuotaGate(store: store, limits: QuotaGate.limits(of: admin)),
            keeper: LeaseKeeper(cluster: name, holder: holder, configuration: store.pool.configuration, logger: logger), logger: logger)
        return Running(kubeconfig: kubeconfig, document: shared, task: Task { await controller.run() })
    }
}
