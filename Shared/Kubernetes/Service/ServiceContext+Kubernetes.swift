import ServiceKit
import ServiceLifecycle

extension ServiceContext {
    /// A client of the cluster whose kubeconfig `ORRERY_KUBECONFIG` names, or, without that setting, of the cluster whose pod this process
    /// is. Its connections are closed after everything that uses them has stopped; `/ready` and `/metrics` show its state as `kubernetes`.
    /// - Parameter adjust: changes what the kubeconfig does not say: bounds.
    /// - Throws: ``SettingError`` when neither can be read.
    public func kubernetes(_ adjust: (inout KubernetesConfiguration) throws -> Void = { _ in }) throws -> KubernetesClient {
        var configuration: KubernetesConfiguration
        do {
            configuration =
                try settings.optional("kubeconfig").map { path throws(KubernetesError) in try .kubeconfig(path: path) } ?? .inCluster()
        } catch {
            throw SettingError("\(error)")
        }
        try adjust(&configuration)
        let client = try KubernetesClient(configuration, logger: logger)
        run(KubernetesLifetime(client: client))
        ifNotBuilt { try? await client.shutdown() }
        watch("kubernetes") {
            do {
                let version = try await withTimeout(.seconds(2)) { try await client.raw("/version") }
                return DependencyState(ok: true, detail: ["version": version["gitVersion"]?.string ?? ""])
            } catch {
                return DependencyState(ok: false)
            }
        }
        return client
    }
}

/// Closes a client's connections once the services that use it have stopped.
private struct KubernetesLifetime: Service {
    let client: KubernetesClient

    func run() async throws {
        try? await gracefulShutdown()
        try await client.shutdown()
    }
}
