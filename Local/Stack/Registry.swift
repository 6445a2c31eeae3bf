import Foundation
import Subprocess
import SystemPackage

/// The OCI registry on this machine, from which the embedded cluster pulls what pods name `registry.local/…`.
struct Registry: Sendable {
    static let name = "registry.local"

    let folder: RunFolder
    /// `Local/Registry/registry`.
    let command: String
    let port: Int

    var address: String { "127.0.0.1:\(port)" }

    func part() throws -> Part {
        let url = "http://\(address)/v2/"
        return Part(
            name: "registry", executable: command, arguments: ["serve", address, try folder.make("registry")],
            isReady: { await Probe.answers(url) })
    }

    /// Puts the image that is there from the start into it.
    func publish() async throws {
        let result = try await Subprocess.run(
            .path(FilePath(command)), arguments: ["publish", address], output: .discarded, error: .string(limit: 1 << 20))
        guard result.terminationStatus.isSuccess else { throw StackError(result.standardError) }
    }
}
