import Foundation
import Logging
import Postgres

/// A database of its own for a suite, made from a template that is migrated once a run, and dropped at the end.
public struct TestDatabase: Sendable {
    /// The connection string.
    public let url: String
    private let name: String

    /// Makes a fresh database with the migrations applied.
    public static func create(migrations: [Migration] = []) async throws -> TestDatabase {
        let template = migrations.isEmpty ? "template0" : try await TestTemplates.shared.name(for: migrations)
        let name = "orrery_test_" + UUID().uuidString.lowercased().replacingOccurrences(of: "-", with: "")
        try await TestServers.admin().execute(PostgresQuery(sql: "CREATE DATABASE \(name) TEMPLATE \(template)"))
        return TestDatabase(url: TestServers.url(ofDatabase: name), name: name)
    }

    /// Drops it, whoever is still connected.
    public func drop() async throws {
        try await TestServers.admin().execute(PostgresQuery(sql: "DROP DATABASE IF EXISTS \(name) WITH (FORCE)"))
    }

    /// Makes a database for the time of `body`.
    public static func with<T>(migrations: [Migration] = [], _ body: (TestDatabase) async throws -> T) async throws -> T {
        let database = try await create(migrations: migrations)
        do {
            let value = try await body(database)
            try await database.drop()
            return value
        } catch {
            try? await database.drop()
            throw error
        }
    }
}
