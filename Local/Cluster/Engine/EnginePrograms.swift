import Foundation

/// The programs that podman needs, as this machine has them.
struct EnginePrograms: Sendable {
    let podman: String?
    let conmon: String?
    /// crun or runc.
    let runtime: String?
    let catatonit: String?
    let netavark: String?
    /// The mix of cgroup versions decides on the runtime: crun refuses a hybrid.
    let hasUnifiedControlGroups: Bool

    init(
        searching path: String = ProcessInfo.processInfo.environment["PATH"] ?? "",
        folders usual: [String] = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/bin", "/sbin"],
        helpers: [String] = ["/usr/local/libexec/podman", "/usr/local/lib/podman", "/usr/libexec/podman", "/usr/lib/podman"]
    ) {
        let folders = path.split(separator: ":").map(String.init) + usual
        func find(_ name: String, _ folders: [String]) -> String? {
            folders.map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
        }
        hasUnifiedControlGroups = FileManager.default.fileExists(atPath: "/sys/fs/cgroup/cgroup.controllers")
        podman = find("podman", folders)
        conmon = find("conmon", helpers + folders)
        runtime = hasUnifiedControlGroups ? find("crun", folders) ?? find("runc", folders) : find("runc", folders)
        catatonit = find("catatonit", helpers + folders)
        netavark = find("netavark", helpers + folders)
    }
}
