import Logging
import Postgres

/// One database a service.
struct Databases: Sendable {
    let url: String

    /// Creates those that are missing.
    func prepare(_ names: [String]) async throws {
        let logger = Logger(label: "orrery-local") { _ in SwiftLogNoOpLogHandler() }
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url: url + "/postgres"), logger: logger)
        for name in names {
            let found = try await connection.query("SELECT 1 AS found FROM pg_database WHERE datname = \(name)")
            if found.isEmpty { try await connection.execute("CREATE DATABASE \(raw: name)") }
        }
        await connection.close()
    }
}
