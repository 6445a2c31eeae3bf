import Foundation
import Logging
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
        port = try Self.freePort()
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        if getuid() == 0 { try Self.shell("chown postgres '\(directory)'") }
        try tool("initdb -D data -U orrery -A trust -N >/dev/null")
        try tool(
            "sh -c \"printf 'fsync=off\\nlisten_addresses=127.0.0.1\\nunix_socket_directories=\\nport=\(port)\\n' >> data/postgresql.conf\"",
            isBinary: false)
        try start()
    }

    func start() throws { try tool("pg_ctl -D data -w -l log start >/dev/null") }
    func stop(_ mode: String = "fast") throws { try tool("pg_ctl -D data -w -m \(mode) stop >/dev/null") }
    func remove() {
        try? stop("immediate")
        try? FileManager.default.removeItem(atPath: directory)
    }

    private func tool(_ command: String, isBinary: Bool = true) throws {
        let full = isBinary ? "\(Self.binaries ?? "")/\(command)" : command
        let prefix = getuid() == 0 ? "setpriv --reuid=postgres --regid=postgres --clear-groups " : ""
        try Self.shell("cd '\(directory)' && \(prefix)\(full)")
    }

    private static func shell(_ command: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", command]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(command)")
    }

    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { Foundation.close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                guard bind(descriptor, $0, length) == 0, getsockname(descriptor, $0, &length) == 0 else { return 0 }
                return Int(UInt16(bigEndian: pointer.pointee.sin_port))
            }
        }
        try #require(port != 0)
        return port
    }
}
