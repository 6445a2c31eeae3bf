import Foundation
import Kubernetes
import Logging
import Subprocess
import SystemPackage

/// The cluster of this machine: `orrery-cluster`, which speaks Kubernetes' API and runs pods with podman, and the registry that it pulls from.
struct EmbeddedCluster: Sendable {
    let folder: RunFolder
    /// `orrery-cluster`.
    let executable: String
    let registry: Registry
    let port: Int
    let metricsPort: Int
    /// Whether who has its token may make it fail in chosen ways: for tests.
    let faults: Bool

    /// Where it keeps its state and its containers.
    var place: String { folder.short("cluster") }

    /// Throws what is missing on this machine, all of it at once, in the words of the cluster itself.
    func check() async throws {
        let result = try await Subprocess.run(
            .path(FilePath(executable)), arguments: ["--check"], environment: .inherit.updating(settings),
            output: .string(limit: 1 << 16), error: .string(limit: 1 << 16))
        guard result.terminationStatus.isSuccess else {
            let words = [result.standardOutput, result.standardError].joined().trimmingCharacters(in: .whitespacesAndNewlines)
            throw StackError(
                "this machine cannot run the embedded cluster:\n\(words)\n(`CLUSTER=kubernetes make run` uses a genuine Kubernetes instead)"
            )
        }
    }

    func part() -> Part {
        let kubeconfig = kubeconfig
        let port = port
        return Part(
            name: "cluster", executable: executable,
            environment: Dictionary(uniqueKeysWithValues: settings.map { ($0.key.rawValue, $0.value ?? "") }),
            isReady: {
                guard Probe.listens(port: port), let nodes = try? await NodePool.nodes(kubeconfig) else { return false }
                return nodes.contains(where: \.isReady)
            })
    }

    var kubeconfig: String { place + "/kubeconfig" }

    private var settings: [Environment.Key: String?] {
        [
            "ORRERY_HTTP_HOST": "127.0.0.1",
            "ORRERY_HTTP_PORT": "\(port)",
            "ORRERY_METRICS_PORT": "\(metricsPort)",
            "ORRERY_SHUTDOWN_DELAY": "0",
            "ORRERY_SECRETS_DIR": folder.file("secrets/cluster"),
            "ORRERY_CLUSTER_FOLDER": place,
            "ORRERY_CLUSTER_MIRRORS": "\(Registry.name)=\(registry.address)",
            // Who stops the platform stops its jobs too; a crash leaves them running, to be found again.
            "ORRERY_CLUSTER_KEEP_PODS": "false",
            "ORRERY_CLUSTER_FAULTS": "\(faults)",
        ]
    }
}
