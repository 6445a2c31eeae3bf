import Foundation
import Testing

@testable import Postgres

@Suite(.serialized, .enabled(if: PrivateServer.binaries != nil)) struct OutageTests {
    private func withServer(_ body: (PrivateServer) async throws -> Void) async throws {
        let server = try PrivateServer()
        defer { server.remove() }
        try await body(server)
    }

    @Test func anOutageIsWaitedOut() async throws {
        try await withServer { server in
            let pool = TestServer.pool(try server.configuration)
            try await pool.execute("CREATE TABLE t (n int)")
            try server.stop()
            #expect(await pool.ping() == false)
            async let read = pool.query("SELECT 1")
            async let written = pool.execute("INSERT INTO t VALUES (\(1))")
            async let transacted: Int = pool.transaction { try await $0.execute("INSERT INTO t VALUES (\(2))") }
            while await pool.state.lastError == nil { try await Task.sleep(for: .milliseconds(10)) }
            try server.start()
            #expect(try await read.count == 1)
            #expect(try await written == 1)
            #expect(try await transacted == 1)
            #expect(try await pool.query("SELECT n FROM t").count == 2)
            #expect(await pool.state.lastError == nil)
        }
    }

    /// A large statement waits in the socket, a small one for its answer.
    @Test(arguments: [1, 20_000_000]) func aServerThatStandsStillIsGivenUpInTime(size: Int) async throws {
        try await withServer { server in
            var configuration = try server.configuration
            configuration.statementTimeout = .seconds(2)
            let connection = try await PostgresConnection.connect(configuration, logger: TestServer.logger)
            let row = try #require(try await connection.query("SELECT pg_backend_pid() AS pid").first)
            let backend = try row.get("pid", as: Int32.self)
            kill(backend, SIGSTOP)
            defer { kill(backend, SIGCONT) }
            let text = String(repeating: "x", count: size)
            let error = await #expect(throws: PostgresError.self) { try await connection.query("SELECT length(\(text))") }
            // Whoever notices first, the kernel (`tcp_user_timeout`) or the deadline.
            guard case .unavailable(_, mayHaveRun: false)? = error else { throw error ?? .closed }
            #expect(await connection.running == nil)
        }
    }

    @Test func anOutageBeyondTheBoundIsTold() async throws {
        try await withServer { server in
            let pool = TestServer.pool(try server.configuration, connections: 2, wait: .milliseconds(700))
            #expect(await pool.ping())
            try server.stop("immediate")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<10 {
                    group.addTask {
                        let start = ContinuousClock.now
                        let error = await #expect(throws: PostgresError.self) { try await pool.execute("CREATE TABLE t ()") }
                        guard case .unavailable(_, mayHaveRun: false)? = error else { throw error ?? .closed }
                        #expect(ContinuousClock.now - start < .seconds(15))
                    }
                }
                try await group.waitForAll()
            }
            #expect(await pool.state.opening == 0)
            try server.start()
            #expect(await pool.ping())
        }
    }

    /// Descriptors of connections that end are taken by those that begin, all the time: no answer may go to the wrong one.
    @Test func connectionsThatComeAndGoTogetherAllHearTheirAnswers() async throws {
        try await withServer { server in
            let pools = try (0..<4).map { _ in TestServer.pool(try server.configuration, connections: 5) }
            let killer = try await PostgresConnection.connect(server.configuration, logger: TestServer.logger)
            for _ in 0..<40 {
                try await withThrowingTaskGroup(of: Duration.self) { group in
                    for pool in pools {
                        for _ in 0..<4 {
                            group.addTask {
                                let begun = ContinuousClock.now
                                let rows = try await pool.query("SELECT 1 AS one")
                                #expect(rows.count == 1)
                                return ContinuousClock.now - begun
                            }
                        }
                    }
                    _ = try await killer.query(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE client_port > 0 AND pid <> pg_backend_pid()")
                    for try await time in group { #expect(time < .seconds(15)) }
                }
            }
        }
    }

    @Test func idleConnectionsThatDiedAreReplacedUnseen() async throws {
        try await withServer { server in
            let pool = TestServer.pool(try server.configuration)
            try await pool.execute("CREATE TABLE t (n int)")
            for round in 1...5 {
                try server.stop(round.isMultiple(of: 2) ? "fast" : "immediate")
                try server.start()
                // A write, which nobody may repeat on suspicion.
                #expect(try await pool.execute("INSERT INTO t VALUES (\(round))") == 1)
            }
        }
    }

    @Test func aStatementInFlightTellsWhetherItMayHaveRun() async throws {
        try await withServer { server in
            let pool = TestServer.pool(try server.configuration, wait: .seconds(1))
            try await pool.execute("CREATE TABLE t (n int)")
            let write = Task { try await pool.execute("INSERT INTO t SELECT 1 FROM pg_sleep(20)") }
            let transaction = Task { try await pool.transaction { try await $0.execute("INSERT INTO t SELECT 2 FROM pg_sleep(20)") } }
            while try await pool.query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'").count < 2 {
                try await Task.sleep(for: .milliseconds(5))
            }
            try server.stop("immediate")
            let lost = await #expect(throws: PostgresError.self) { try await write.value }
            guard case .unavailable(_, mayHaveRun: true)? = lost else { throw lost ?? .closed }
            let safe = await #expect(throws: PostgresError.self) { try await transaction.value }
            guard case .unavailable(_, mayHaveRun: false)? = safe else { throw safe ?? .closed }
        }
    }

    @Test func readsInFlightAreRepeated() async throws {
        try await withServer { server in
            let pool = TestServer.pool(try server.configuration)
            let read = Task { try await pool.query("SELECT 7 AS n FROM pg_sleep(1)") }
            while try await pool.query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'").isEmpty {
                try await Task.sleep(for: .milliseconds(5))
            }
            try server.stop("fast")
            try server.start()
            #expect(try await read.value.first?.get("n", as: Int.self) == 7)
        }
    }

    @Test func listenersLearnThatTheirServerWent() async throws {
        try await withServer { server in
            let connection = try await PostgresConnection.connect(try server.configuration, logger: TestServer.logger)
            let notifications = try await connection.notifications(on: ["x"])
            try server.stop()
            await #expect(throws: PostgresError.self) { for try await _ in notifications {} }
            #expect(!connection.isUsable)
        }
    }

    @Test func aServerThatHangsIsGivenUp() async throws {
        try await withServer { server in
            var configuration = try server.configuration
            configuration.statementTimeout = .seconds(2)
            configuration.connectTimeout = .seconds(3)
            let connection = try await PostgresConnection.connect(configuration, logger: TestServer.logger)
            let pid = try #require(try await connection.query("SELECT pg_backend_pid() AS pid").first?.get("pid", as: Int32.self))
            let postmaster = try String(contentsOfFile: "\(server.directory)/data/postmaster.pid", encoding: .utf8)
            let parent = try #require(Int32(postmaster.prefix { $0 != "\n" }))
            kill(parent, SIGSTOP)
            kill(pid, SIGSTOP)
            defer {
                kill(pid, SIGCONT)
                kill(parent, SIGCONT)
            }
            let start = ContinuousClock.now
            await #expect(throws: PostgresError.self) { try await connection.query("SELECT 1") }
            await #expect(throws: PostgresError.self) { try await PostgresConnection.connect(configuration, logger: TestServer.logger) }
            #expect(ContinuousClock.now - start < .seconds(25))
        }
    }
}
