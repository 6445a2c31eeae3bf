import Foundation
import Subprocess
import SystemPackage

/// A private Postgres and Redis.
struct Stores: Sendable {
    let folder: RunFolder
    let postgresPort: Int
    let redisPort: Int
    /// Tests trade durability for speed; a platform that is kept does not.
    var durable = true

    var postgresURL: String { "postgres://orrery@127.0.0.1:\(postgresPort)" }
    var redisURL: String { "redis://127.0.0.1:\(redisPort)" }

    func parts() async throws -> [Part] { [try await postgres(), try redis()] }

    private func postgres() async throws -> Part {
        let binaries = try Self.postgresBinaries()
        let user = SystemUser.isRoot ? SystemUser(named: "postgres") : nil
        if SystemUser.isRoot, user == nil { throw StackError("Postgres cannot run as root, and this machine has no user `postgres`") }
        let data = try postgresFolder(for: user)
        if !FileManager.default.fileExists(atPath: data + "/PG_VERSION") {
            try await Self.runToEnd(
                "\(binaries)/initdb", ["-D", data, "-U", "orrery", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"], as: user,
                folder: folder)
        }
        var settings = [
            "listen_addresses=127.0.0.1", "port=\(postgresPort)", "unix_socket_directories=", "max_connections=300",
            "shared_buffers=128MB", "timezone=UTC", "log_timezone=UTC",
        ]
        if !durable { settings += ["fsync=off", "synchronous_commit=off", "full_page_writes=off"] }
        let port = postgresPort
        return Part(
            name: "postgres", executable: "\(binaries)/postgres", arguments: ["-D", data] + settings.flatMap { ["-c", $0] }, user: user,
            stopSignal: SIGINT,
            isReady: { await Self.succeeds("\(binaries)/pg_isready", ["-q", "-h", "127.0.0.1", "-p", "\(port)", "-U", "orrery"]) })
    }

    /// Postgres as another user must be able to reach its folder; where a parent forbids that (a checkout below /root, say) the data live
    /// in /var/lib/orrery, with a link from the run folder.
    private func postgresFolder(for user: SystemUser?) throws -> String {
        guard let user else { return try folder.make("postgres", permissions: 0o700) }
        var data = folder.file("postgres")
        if !Self.everyoneMayPass(folder.path) {
            data = "/var/lib/orrery/postgres-\(folder.fingerprint)"
            if !folder.exists("postgres") {
                try FileManager.default.createSymbolicLink(atPath: folder.file("postgres"), withDestinationPath: data)
            }
        }
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: data)
        try user.own(data)
        return data
    }

    private static func everyoneMayPass(_ path: String) -> Bool {
        var current = ""
        for component in path.split(separator: "/") {
            current += "/" + component
            let mode = (try? FileManager.default.attributesOfItem(atPath: current)[.posixPermissions]) as? Int
            guard let mode, mode & 0o001 != 0 else { return false }
        }
        return true
    }

    private func redis() throws -> Part {
        let data = try folder.make("redis", permissions: 0o700)
        let port = redisPort
        let executable = ["/usr/bin/redis-server", "/usr/local/bin/redis-server"].first { FileManager.default.isExecutableFile(atPath: $0) }
        guard let executable else { throw StackError("redis-server is not installed") }
        return Part(
            name: "redis", executable: executable,
            arguments: [
                "--port", "\(port)", "--bind", "127.0.0.1", "--dir", data, "--save", durable ? "60 1" : "", "--appendonly", "no",
            ],
            isReady: { Probe.listens(port: port) })
    }

    private static func postgresBinaries() throws -> String {
        let root = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).compactMap(Int.init).sorted()
        guard let newest = versions.last else { throw StackError("Postgres is not installed") }
        return "\(root)/\(newest)/bin"
    }

    /// Runs a tool to its end; its output goes to the logs.
    private static func runToEnd(_ executable: String, _ arguments: [String], as user: SystemUser?, folder: RunFolder) async throws {
        let command = user?.command(executable, arguments) ?? (executable, arguments)
        let result = try await Subprocess.run(
            .path(FilePath(command.0)), arguments: Arguments(command.1), workingDirectory: FilePath("/"),
            output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        guard result.terminationStatus.isSuccess else {
            throw StackError("\(executable) failed: \(result.standardError)")
        }
    }

    private static func succeeds(_ executable: String, _ arguments: [String]) async -> Bool {
        let result = try? await Subprocess.run(
            .path(FilePath(executable)), arguments: Arguments(arguments), output: .discarded, error: .discarded)
        return result?.terminationStatus.isSuccess ?? false
    }
}
