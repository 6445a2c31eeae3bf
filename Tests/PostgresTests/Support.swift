import Foundation
import Logging
import TestSupport
import Testing

@testable import Postgres

/// The shared server, and private ones that a test may stop.
enum TestServer {
    static let url = ProcessInfo.processInfo.environment["ORRERY_TEST_POSTGRES_URL"] ?? "postgres://postgres@127.0.0.1:5432/postgres"
    static let logger = Logger(label: "postgres-tests")

    /// Runs `body` against a database of its own.
    static func withDatabase(_ body: (PostgresConfiguration) async throws -> Void) async throws {
        let name = "t_" + UUID().uuidString.lowercased().replacing("-", with: "")
        let admin = try await PostgresConnection.connect(PostgresConfiguration(url: url), logger: logger)
        try await admin.run(script: "CREATE DATABASE \(name)")
        var parts = try #require(URLComponents(string: url))
        parts.path = "/" + name
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await body(PostgresConfiguration(url: parts.string ?? url)))
        } catch {
            outcome = .failure(error)
        }
        try await admin.run(script: "DROP DATABASE \(name) WITH (FORCE)")
        await admin.close()
        try outcome.get()
    }

    static func pool(_ configuration: PostgresConfiguration, connections: Int = 8, wait: Duration = .seconds(12)) -> PostgresPool {
        var configuration = configuration
        configuration.maximumConnections = connections
        configuration.waitLimit = wait
        return PostgresPool(configuration, logger: logger)
    }
}

/// A Postgres of one test, on a free port, run as a user that may run it.
final class PrivateServer: Sendable {
    let directory: String
    let port: Int
    var configuration: PostgresConfiguration {
        get throws { try PostgresConfiguration(url: "postgres://orrery@127.0.0.1:\(port)/postgres") }
    }

    static var binaries: String? {
        let base = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? []
        return versions.compactMap(Int.init).max().map { "\(base)/\($0)/bin" }
    }

    init() throws {
        directory = NSTemporaryDirectory() + "orrery-pg-" + UUID().uuidString.prefix(8)
        port = try freePort()
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        if getuid() == 0 { try Self.shell("chown postgres '\(directory)'") }
        try tool("initdb -D data -U orrery -A trust -N >/dev/null")
        try start()
    }

    func start() throws {
        let options = "-p \(port) -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        try tool("pg_ctl -D data -w -l log -o '\(options)' start >/dev/null")
    }
    func stop(_ mode: String = "fast") throws { try tool("pg_ctl -D data -w -m \(mode) stop >/dev/null") }
    func remove() {
        // Already stopped, perhaps.
        _ = try? tool("pg_ctl -D data -w -m immediate stop >/dev/null 2>&1 || true")
        try? FileManager.default.removeItem(atPath: directory)
    }

    private func tool(_ command: String) throws {
        let full = "\(Self.binaries ?? "")/\(command)"
        let prefix = getuid() == 0 ? "setpriv --reuid=postgres --regid=postgres --clear-groups " : ""
        try Self.shell("cd '\(directory)' && \(prefix)\(full)")
    }

    private static func shell(_ command: String) throws {
        // Not Foundation's Process: that waits for the server, too, which outlives pg_ctl.
        var pid = pid_t()
        var status: Int32 = 0
        let words: [String] = ["/bin/sh", "-c", command]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        defer { for argument in arguments { free(argument) } }
        arguments.append(nil)
        let spawned = posix_spawn(&pid, "/bin/sh", nil, nil, arguments, nil)
        try #require(spawned == 0)
        let ended = waitpid(pid, &status, 0)
        try #require(ended == pid)
        try #require(status == 0, "\(command)")
    }
}
