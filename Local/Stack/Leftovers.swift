import Foundation

/// Parts of a platform that was killed: they live on without a supervisor, on the ports and in the folders that the next one needs.
struct Leftovers: Sendable {
    let folder: RunFolder

    /// Ends them. To be called by who holds the folder's lock: then none of them has a supervisor.
    func end() async throws {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.file("parts"))) ?? []
        for file in files where file.hasSuffix(".pid") {
            defer { folder.remove("parts/\(file)") }
            guard let pid = folder.read("parts/\(file)").flatMap(pid_t.init), isOurs(pid) else { continue }
            try await end(pid, by: signal(for: String(file.dropLast(4))))
        }
    }

    private func end(_ pid: pid_t, by signal: Int32) async throws {
        kill(pid, signal)
        for _ in 0..<400 where isOurs(pid) { try await Task.sleep(for: .milliseconds(50)) }
        if isOurs(pid) { kill(pid, SIGKILL) }
        for _ in 0..<40 where isOurs(pid) { try await Task.sleep(for: .milliseconds(50)) }
    }

    private func signal(for part: String) -> Int32 {
        switch part {
        // Asked to end it would end its pods too; killed it leaves them running, to be found again.
        case "cluster": SIGKILL
        case "postgres": SIGINT
        default: SIGTERM
        }
    }

    /// Whether the process lives and is a part of this folder's platform: the kernel may have given its number to another one since.
    private func isOurs(_ pid: pid_t) -> Bool {
        ["cmdline", "environ"].contains { name in
            guard let text = FileManager.default.contents(atPath: "/proc/\(pid)/\(name)") else { return false }
            return text.range(of: Data((folder.path + "/").utf8)) != nil
        }
    }
}
