import Testing

@testable import Postgres

@Suite struct TransactionTests {
    struct Refusal: Error {}

    private func withTable(_ body: (PostgresPool) async throws -> Void) async throws {
        try await TestServer.withDatabase { configuration in
            let pool = TestServer.pool(configuration, connections: 2)
            try await pool.execute("CREATE TABLE t (n int PRIMARY KEY)")
            try await body(pool)
        }
    }

    private func expect(_ rows: Int, in pool: PostgresPool, location: SourceLocation = #_sourceLocation) async throws {
        let count = try await pool.query("SELECT count(*) AS n FROM t").first?.get("n", as: Int.self)
        #expect(count == rows, sourceLocation: location)
    }

    @Test func commitsAndRollsBack() async throws {
        try await withTable { pool in
            _ = try await pool.transaction { try await $0.execute("INSERT INTO t VALUES (\(1))") }
            try await expect(1, in: pool)
            await #expect(throws: Refusal.self) {
                try await pool.transaction { connection in
                    try await connection.execute("INSERT INTO t VALUES (\(2))")
                    throw Refusal()
                }
            }
            try await expect(1, in: pool)
        }
    }

    @Test func aSwallowedFailureDoesNotPassForACommit() async throws {
        try await withTable { pool in
            let error = await #expect(throws: PostgresError.self) {
                try await pool.transaction { connection in
                    try await connection.execute("INSERT INTO t VALUES (\(1))")
                    _ = try? await connection.execute("INSERT INTO t VALUES (\(1))")
                }
            }
            #expect(error?.sqlState == "25P02")
            try await expect(0, in: pool)
        }
    }

    @Test func cancellationRollsBack() async throws {
        try await withTable { pool in
            let task = Task {
                try await pool.transaction { connection in
                    try await connection.execute("INSERT INTO t VALUES (\(1))")
                    _ = try await connection.query("SELECT pg_sleep(30)")
                }
            }
            while try await pool.query("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(30)' AND state = 'active'").isEmpty
            {
                try await Task.sleep(for: .milliseconds(5))
            }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            try await expect(0, in: pool)
            #expect(await pool.state.lent == 0)
        }
    }

    @Test func aTransactionLeftOpenByItsBorrowerIsRolledBack() async throws {
        try await withTable { pool in
            try await pool.withConnection { connection in
                try await connection.run(script: "BEGIN")
                try await connection.execute("INSERT INTO t VALUES (\(1))")
            }
            for _ in 0..<3 { try await expect(0, in: pool) }
        }
    }
}
