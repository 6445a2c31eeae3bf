import Foundation
import Subprocess
import SystemPackage

#if canImport(Glibc)
    import Glibc
#endif

/// What a machine needs before pods can run on it.
enum PodmanRequirements {
    /// - Returns: one sentence for each thing that is missing; empty when pods can run.
    static func missing(clusterFolder: String) async -> [String] {
        let programs = EnginePrograms()
        var missing = absent(programs)
        guard missing.isEmpty, let podman = programs.podman else { return missing }
        // The last word is podman's own: it sets up its storage and looks at the kernel.
        let configuration = EngineConfiguration(layout: EngineLayout(clusterFolder: clusterFolder), programs: programs, mirrors: [:])
        do {
            let layout = configuration.layout
            if !FileManager.default.fileExists(atPath: layout.containersConfiguration) { try configuration.write() }
            let result = try await Subprocess.run(
                .path(FilePath(podman)),
                arguments: ["--root", layout.root, "--runroot", layout.runRoot, "info", "--format", "{{.Host.OS}}"],
                environment: .inherit.updating([
                    "CONTAINERS_CONF": layout.containersConfiguration, "CONTAINERS_STORAGE_CONF": layout.storageConfiguration,
                ]), workingDirectory: FilePath("/"), output: .string(limit: 1 << 16), error: .string(limit: 1 << 16))
            if !result.terminationStatus.isSuccess {
                missing.append("podman does not work here: " + result.standardError.trimmingCharacters(in: .whitespacesAndNewlines))
            }
        } catch {
            missing.append("podman could not be started: \(error)")
        }
        return missing
    }

    /// What can be told without starting podman.
    static func absent(_ programs: EnginePrograms, isRoot: Bool = EngineLayout.isRoot) -> [String] {
        var missing: [String] = []
        func need(_ path: String?, _ program: String, package: String, why: String) {
            if path == nil { missing.append("\(program) is missing (Debian package `\(package)`): \(why)") }
        }
        need(programs.podman, "podman", package: "podman", why: "it runs the containers of pods")
        need(programs.conmon, "conmon", package: "conmon", why: "podman watches each container through it")
        need(programs.catatonit, "catatonit", package: "catatonit", why: "it holds the network of a pod while containers come and go")
        let runtime = programs.hasUnifiedControlGroups ? "crun or runc" : "runc"
        need(
            programs.runtime, runtime, package: programs.hasUnifiedControlGroups ? "crun" : "runc",
            why: programs.hasUnifiedControlGroups
                ? "podman starts containers with it" : "this machine has control groups of version 1, which crun does not take")
        need(programs.netavark, "netavark", package: "netavark", why: "it gives pods their addresses")
        let policies = ["/etc/containers/policy.json", NSHomeDirectory() + "/.config/containers/policy.json"]
        if !policies.contains(where: { FileManager.default.fileExists(atPath: $0) }) {
            missing.append(
                "/etc/containers/policy.json is missing (Debian package `golang-github-containers-common`): podman pulls nothing without it"
            )
        }
        if !isRoot { missing += absentWithoutRoot() }
        return missing
    }

    private static func absentWithoutRoot() -> [String] {
        var missing: [String] = []
        let user = NSUserName()
        for file in ["/etc/subuid", "/etc/subgid"] {
            let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
            let has = text.split(separator: "\n").contains { $0.hasPrefix("\(user):") || $0.hasPrefix("\(geteuid()):") }
            if !has {
                missing.append("\(file) has no line for \(user): without root, containers need ids of their own (`usermod --add-subuids`)")
            }
        }
        let folders = ["/usr/bin", "/usr/local/bin", "/bin"]
        for (program, package) in [("newuidmap", "uidmap"), ("slirp4netns", "slirp4netns")]
        where !folders.contains(where: { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }) {
            missing.append("\(program) is missing (Debian package `\(package)`): podman needs it when it is not root")
        }
        return missing
    }
}
