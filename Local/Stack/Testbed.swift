import Foundation
import Subprocess
import SystemPackage

/// The genuine Kubernetes of `Tests/Kubernetes` on this machine. Its processes outlive ours, so it is started and stopped by its own command.
struct Testbed: Sendable {
    let folder: RunFolder
    let command: String

    var place: String { folder.short("testbed") }

    func start() async throws {
        try await run("start")
        try folder.write(Cluster.completed(place + "/kubeconfig"), to: "kubeconfig", permissions: 0o600)
    }

    func stop() async throws { try await run("stop") }

    private func run(_ verb: String) async throws {
        let result = try await Subprocess.run(
            .path(FilePath(command)), arguments: [verb, "--run", place], output: .discarded, error: .string(limit: 1 << 20))
        guard result.terminationStatus.isSuccess else { throw StackError("the testbed did not \(verb): \(result.standardError)") }
    }
}
