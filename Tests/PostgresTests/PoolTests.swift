import Testing

@testable import Postgres

@Suite struct PoolTests {
    @Test func neverMoreConnectionsThanAllowed() async throws {
        try await TestServer.withDatabase { configuration in
            let pool = TestServer.pool(configuration, connections: 3)
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<100 {
                    group.addTask {
                        let rows = try await pool.query(
                            "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND pid <> 0")
                        return try rows[0].get("n")
                    }
                }
                for try await seen in group { #expect(seen <= 3) }
            }
            #expect(await pool.state.idle <= 3)
            #expect(await pool.state.lent == 0)
        }
    }

    @Test func waitingIsBoundedAndInOrder() async throws {
        try await TestServer.withDatabase { configuration in
            let pool = TestServer.pool(configuration, connections: 1, wait: .milliseconds(300))
            try await pool.withConnection { _ in
                let start = ContinuousClock.now
                await #expect(throws: PostgresError.poolExhausted) { try await pool.query("SELECT 1") }
                let waited = ContinuousClock.now - start
                #expect(waited > .milliseconds(250) && waited < .seconds(10))
            }
            #expect(try await pool.query("SELECT 1").count == 1)
            #expect(await pool.state.waiting == 0)
        }
    }

    @Test func aWaiterCanBeCancelled() async throws {
        try await TestServer.withDatabase { configuration in
            let pool = TestServer.pool(configuration, connections: 1)
            try await pool.withConnection { _ in
                let waiter = Task { try await pool.query("SELECT 1") }
                while await pool.state.waiting == 0 { await Task.yield() }
                waiter.cancel()
                await #expect(throws: CancellationError.self) { try await waiter.value }
                #expect(await pool.state.waiting == 0)
            }
            #expect(try await pool.query("SELECT 1").count == 1)
        }
    }

    @Test func aStatementPastItsLimitIsStopped() async throws {
        try await TestServer.withDatabase { configuration in
            var configuration = configuration
            configuration.statementTimeout = .seconds(2)
            let pool = PostgresPool(configuration, logger: TestServer.logger)
            await #expect(throws: PostgresError.timedOut) { try await pool.query("SELECT pg_sleep(10)") }
            let after = try await pool.query("SELECT 1")
            #expect(after.count == 1)
        }
    }

    @Test func theClientsOwnDeadlineStopsWhatTheServerLets() async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url: TestServer.url), logger: TestServer.logger)
        try await connection.run(script: "SET statement_timeout = 0")
        await #expect(throws: PostgresError.timedOut) {
            try await connection.perform(.script("SELECT pg_sleep(30)"), limit: .milliseconds(200))
        }
        #expect(try await connection.query("SELECT 1").count == 1)
        await connection.close()
    }

    /// Cancels statements at random moments and looks whether a cancel request ever hits the statement after.
    @Test func noCancelHitsTheNextStatement() async throws {
        try await TestServer.withDatabase { configuration in
            let pool = TestServer.pool(configuration, connections: 4)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        for _ in 0..<60 {
                            let victim = Task { try await pool.query("SELECT pg_sleep(0.005)") }
                            try await Task.sleep(for: .microseconds(Int.random(in: 0...9000)))
                            victim.cancel()
                            _ = try? await victim.value
                            // Were a request still under way, this would fail.
                            _ = try await pool.query("SELECT pg_sleep(0.001)")
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(await pool.state.lent == 0)
        }
    }
}
