import Foundation
import Subprocess
import SystemPackage

/// The genuine Kubernetes of `Tests/Kubernetes` on this machine. Its processes outlive ours, so it is started and stopped by its own command.
struct Testbed: Sendable {
    let folder: RunFolder
    let command: String

    var place: String { folder.short("testbed") }

    /// What it says goes to standard error as it comes: a first start builds Kubernetes, and tells each minute how far it is.
    func start() async throws {
        let result = try await Subprocess.run(executable, arguments: arguments("start"), output: .discarded, error: .currentStandardError)
        guard result.terminationStatus.isSuccess else { throw StackError("the testbed did not start; it says why above") }
        try folder.write(Cluster.completed(place + "/kubeconfig"), to: "kubeconfig", permissions: 0o600)
    }

    func stop() async throws {
        let result = try await Subprocess.run(
            executable, arguments: arguments("stop"), output: .discarded, error: .string(limit: 1 << 20))
        guard result.terminationStatus.isSuccess else { throw StackError("the testbed did not stop: \(result.standardError)") }
    }

    private var executable: Executable { .path(FilePath(command)) }

    private func arguments(_ verb: String) -> Arguments { [verb, "--run", place] }
}
