import Foundation
import Subprocess
import SystemPackage

@testable import LocalCluster

/// podman behind the kubelet's back, on the same containers.
enum PodmanCommand {
    static func run(_ layout: EngineLayout, _ arguments: [String]) async throws {
        let result = try await Subprocess.run(
            .name("podman"), arguments: Arguments(["--root", layout.root, "--runroot", layout.runRoot] + arguments),
            environment: .inherit.updating([
                "CONTAINERS_CONF": layout.containersConfiguration, "CONTAINERS_STORAGE_CONF": layout.storageConfiguration,
            ]), output: .discarded, error: .string(limit: 1 << 16))
        guard result.terminationStatus.isSuccess else { throw EngineError("podman \(arguments): \(result.standardError)") }
    }
}
