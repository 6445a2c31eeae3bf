import Crypto
import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// Where the cluster's own podman keeps its things, so that the user's podman is left alone.
struct EngineLayout: Sendable {
    /// Images, container layers and configuration.
    let folder: String
    /// Sockets, locks and what must not outlive a boot. Short: a socket's path ends at 107 bytes.
    let runtime: String
    /// Tells clusters of one machine apart.
    let fingerprint: String

    init(clusterFolder: String) {
        folder = clusterFolder + "/podman"
        let digest = SHA256.hash(data: Data(clusterFolder.utf8)).prefix(6)
        fingerprint = digest.map { String(Int($0) + 256, radix: 16).dropFirst() }.joined()
        runtime = Self.runtimeRoot() + "/orrery-" + fingerprint
    }

    var root: String { folder + "/root" }
    var runRoot: String { runtime + "/run" }
    var temporary: String { runtime + "/tmp" }
    var socket: String { runtime + "/podman.sock" }
    var processIdentifier: String { runtime + "/podman.pid" }
    var log: String { folder + "/podman.log" }
    var networks: String { folder + "/networks" }
    /// The whole file system of a pod's first container: one program that waits.
    var pause: String { folder + "/pause" }
    var conmon: String { folder + "/conmon" }
    var containersConfiguration: String { folder + "/containers.conf" }
    var registriesConfiguration: String { folder + "/registries.conf" }
    var storageConfiguration: String { folder + "/storage.conf" }

    static var isRoot: Bool { geteuid() == 0 }

    private static func runtimeRoot() -> String {
        if isRoot { return "/run" }
        let environment = ProcessInfo.processInfo.environment
        let candidates = [environment["XDG_RUNTIME_DIR"], "/run/user/\(geteuid())"].compactMap { $0 }
        return candidates.first { access($0, W_OK) == 0 } ?? "/tmp"
    }
}
