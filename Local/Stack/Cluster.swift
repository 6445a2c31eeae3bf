import Foundation
import Kubernetes
import Logging

/// The Kubernetes below the local platform.
enum Cluster: Sendable {
    /// One of ours, which needs no Kubernetes: pods run by podman.
    case embedded(EmbeddedCluster)
    /// A genuine one that we bring up on this machine.
    case testbed(Testbed)
    /// One that runs already, by its kubeconfig.
    case given(kubeconfig: String)

    /// What tests and tools want to know of it; stands in the run folder as `cluster.json`.
    var facts: [String: String] {
        switch self {
        case .embedded: ["kind": "embedded"]
        case .testbed(let testbed): ["kind": "testbed", "folder": testbed.place]
        case .given(let kubeconfig): ["kind": "given", "kubeconfig": kubeconfig]
        }
    }

    /// A kubeconfig that is complete in itself, from a file that may name others, so that a service elsewhere can use it too.
    static func completed(_ kubeconfig: String) throws -> String {
        do {
            return try KubernetesConfiguration.kubeconfig(path: kubeconfig).kubeconfig()
        } catch {
            throw StackError("\(error)")
        }
    }

    /// Runs a few calls on a cluster.
    static func with<T: Sendable>(_ kubeconfig: String, _ body: (KubernetesClient) async throws -> T) async throws -> T {
        let logger = Logger(label: "orrery-local") { _ in SwiftLogNoOpLogHandler() }
        let client = try KubernetesClient(.kubeconfig(path: kubeconfig), logger: logger)
        let outcome: Result<T, any Error>
        do { outcome = .success(try await body(client)) } catch { outcome = .failure(error) }
        try await client.shutdown()
        return try outcome.get()
    }
}
