import Foundation
import Logging
import Postgres

/// The migrated templates of this run, one a list of migrations.
actor TestTemplates {
    static let shared = TestTemplates()
    private var made: [String: Task<String, any Error>] = [:]

    func name(for migrations: [Migration]) async throws -> String {
        let key = migrations.map { "\($0)" }.joined(separator: "\n")
        if let task = made[key] { return try await task.value }
        // Owned by the table, which lives as long as the run does.
        let task = Task { try await TestTemplates.make(migrations) }
        made[key] = task
        return try await task.value
    }

    private static func make(_ migrations: [Migration]) async throws -> String {
        let name = "orrery_template_" + UUID().uuidString.lowercased().replacingOccurrences(of: "-", with: "")
        try await TestServers.admin().execute(PostgresQuery(sql: "CREATE DATABASE \(name) TEMPLATE template0"))
        let pool = PostgresPool(try PostgresConfiguration(url: TestServers.url(ofDatabase: name)), logger: Logger(label: "template"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await pool.run() }
            try await pool.migrate(migrations)
            group.cancelAll()
            try? await group.waitForAll()
        }
        try await TestServers.admin().execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = \(name) AND pid <> pg_backend_pid()")
        return name
    }
}
