import Testing

@testable import Postgres

@Suite struct MigrationTests {
    private let first = Migration(1, "users", sql: "CREATE TABLE users (name text PRIMARY KEY); INSERT INTO users VALUES ('ann')")
    private let second = Migration(2, "index", sql: "CREATE INDEX CONCURRENTLY IF NOT EXISTS users_i ON users (name)", transactional: false)
    private let third = Migration(3, "more", sql: "INSERT INTO users VALUES ('bob')")

    @Test func manyProcessesAtOnceMigrateOnce() async throws {
        try await TestServer.withDatabase { configuration in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await TestServer.pool(configuration, connections: 2).migrate([self.first, self.second, self.third])
                    }
                }
                try await group.waitForAll()
            }
            let pool = TestServer.pool(configuration)
            #expect(try await pool.query("SELECT * FROM users").count == 2)
            #expect(try await pool.query("SELECT * FROM schema_migrations").count == 3)
        }
    }

    @Test func aNewerSchemaIsLeftAlone() async throws {
        try await TestServer.withDatabase { configuration in
            let pool = TestServer.pool(configuration)
            try await pool.migrate([first, second, third])
            try await pool.migrate([first, second])
            #expect(try await pool.query("SELECT * FROM schema_migrations").count == 3)
        }
    }

    @Test func aFailureLeavesNothingBehindAndTheNextTryGoesOn() async throws {
        try await TestServer.withDatabase { configuration in
            let pool = TestServer.pool(configuration)
            let broken = Migration(3, "more", sql: "INSERT INTO users VALUES ('bob'); INSERT INTO nowhere VALUES (1)")
            await #expect(throws: PostgresError.self) { try await pool.migrate([first, second, broken]) }
            #expect(try await pool.query("SELECT * FROM users").count == 1)
            try await pool.migrate([first, second, third])
            #expect(try await pool.query("SELECT * FROM users").count == 2)
        }
    }

    @Test func wrongListsAreRefused() async throws {
        try await TestServer.withDatabase { configuration in
            let pool = TestServer.pool(configuration)
            await #expect(throws: PostgresError.self) { try await pool.migrate([second, first]) }
            try await pool.migrate([first])
            await #expect(throws: PostgresError.self) { try await pool.migrate([Migration(1, "renamed", sql: "SELECT 1")]) }
        }
    }
}
