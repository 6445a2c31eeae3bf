import Foundation
import Logging
import PlatformModel
import Postgres
import Redis
import TestSupport
import Testing

@testable import AuthService

/// Between what a filler reads and what it stores anything may happen: a revocation, another filler, another generation.
@Suite struct FillerTests {
    @Test func aRevocationBetweenABatchsReadAndItsStorage() async throws {
        try await Stores.with { stores in
            let (names, job) = (["alice", "bob", "carol"], try ResourceURI("job://c/p"))
            for name in names { try await stores.create(name, job) }
            let trust = try #require(stores.copy.trust)
            let leases = try await stores.filler.lease(names, trust)
            let read = try await stores.closures.records(of: names, whole: true)
            try await stores.revoke(job, from: "bob")
            for record in read { try await stores.filler.store(record, leases[record.name] ?? "") }
            // The others are there; the one that changed is unknown, and so is asked of Postgres.
            #expect(try await stores.known(names) == ["alice", "carol"])
            #expect(try await stores.holds(job, "bob") == false)
            await stores.filler.work()
            #expect(try await stores.known(names) == names)
            #expect(try await stores.copied(job, names) == [.write, .deny, .write])
        }
    }

    /// Each of two replicas reads before the other stores, and one of them before a revocation.
    @Test(arguments: [false, true]) func twoFillersAtOnce(theLateOneStoresFirst: Bool) async throws {
        try await Stores.with { stores in
            let job = try ResourceURI("job://c/p")
            try await stores.create("alice", job)
            let trust = try #require(stores.copy.trust)
            let second = CopyFiller(copy: stores.copy, closures: stores.closures, redis: stores.redis, logger: stores.logger)
            let early = try await stores.filler.lease(["alice"], trust)
            let stale = try await stores.closures.records(of: ["alice"], whole: true)[0]
            try await stores.revoke(job, from: "alice")
            let late = try await second.lease(["alice"], trust)
            let fresh = try await stores.closures.records(of: ["alice"], whole: true)[0]
            if theLateOneStoresFirst { try await second.store(fresh, late["alice"] ?? "") }
            try await stores.filler.store(stale, early["alice"] ?? "")
            #expect(try await stores.known(["alice"]) == (theLateOneStoresFirst ? ["alice"] : []))
            if !theLateOneStoresFirst { try await second.store(fresh, late["alice"] ?? "") }
            #expect(try await stores.copied(job, ["alice"]) == [.deny])
        }
    }

    /// A lease is good in the generation alone in which it was taken, even if what is stored was never revoked there.
    @Test(arguments: [10, 3_000]) func aRecordReadForAFormerGenerationIsNotStored(grants: Int) async throws {
        try await Stores.with { stores in
            let job = try ResourceURI("job://c/p")
            try await stores.create("alice", job)
            try await stores.load("alice", grants)
            let trust = try #require(stores.copy.trust)
            let leases = try await stores.filler.lease(["alice"], trust)
            let stale = try await stores.closures.records(of: ["alice"], whole: true)[0]
            try await stores.redis.send("FLUSHALL")
            // Published while there is no generation at all.
            try await stores.revoke(job, from: "alice")
            await stores.keeper.look()
            let next = try #require(stores.copy.trust)
            #expect(next != trust)
            try await stores.filler.store(stale, leases["alice"] ?? "")
            #expect(try await stores.known(["alice"]) == [])
            #expect(try await stores.holds(job, "alice") == false)
            await stores.filler.work()
            #expect(try await stores.copied(job, ["alice"]) == [.deny])
            // What was laid down aside goes by itself.
            for key in try await stores.redis.send("KEYS", ["t:part:*"]).array?.compactMap(\.string) ?? [] {
                #expect((0...60).contains(try await stores.redis.send("TTL", [.init(key)]).int ?? -1))
            }
        }
    }

    /// A record in parts of which some were lost is none.
    @Test func aPartIsNotTakenForTheWhole() async throws {
        try await Stores.with { stores in
            let job = try ResourceURI("job://c/p")
            try await stores.create("alice", job)
            try await stores.load("alice", 3_000)
            let trust = try #require(stores.copy.trust)
            let leases = try await stores.filler.lease(["alice"], trust)
            let record = try await stores.closures.records(of: ["alice"], whole: true)[0]
            try await stores.redis.send("HSET", ["t:part:1", "job://c/p", "3"])
            let arguments: [RedisArgument] =
                ["t:", "alice", .init(leases["alice"] ?? ""), .init(record.version)] + record.head + [
                    "t:part:1", .init(record.grants.count),
                ]
            let stored = try await stores.redis.evaluate(AccessScripts.fill, keys: [stores.copy.generationKey], arguments: arguments)
            #expect(stored.int == 0)
            #expect(try await stores.known(["alice"]) == [])
        }
    }

    /// Two replicas walk at once, more than one goes through everything, and changes go on.
    @Test func twoReplicasWalkThroughEverythingAtOnce() async throws {
        try await Stores.with { stores in
            let job = try ResourceURI("job://c/p")
            let names = (0..<450).map { "p\(1_000 + $0)" }
            try await stores.pool.execute("INSERT INTO principals (name) SELECT unnest(\(names)::text[])")
            try await stores.pool.execute(
                """
                INSERT INTO grants (principal, uri, scheme, segments, action) SELECT name, \(job.canonical), 'job', ARRAY['c', 'p'], 3
                FROM unnest(\(names)::text[]) AS name
                """)
            try await stores.redis.send("FLUSHALL")
            await stores.keeper.look()
            let second = CopyFiller(copy: stores.copy, closures: stores.closures, redis: stores.redis, logger: stores.logger)
            let gone = names.enumerated().filter { $0.offset % 9 == 0 }.map(\.element)
            try await withThrowingTaskGroup(of: Void.self) { group in
                let deadline = ContinuousClock.now + .seconds(60)
                for filler in [stores.filler, second] {
                    group.addTask {
                        while !filler.isIdle, .now < deadline {
                            await filler.work()
                            try await Task.sleep(for: .milliseconds(5))
                        }
                    }
                }
                for part in [gone.prefix(25), gone.dropFirst(25)] {
                    group.addTask {
                        for name in part {
                            try await stores.revoke(job, from: name)
                            #expect(try await stores.holds(job, name) == false, "\(name)")
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(stores.filler.isIdle && second.isIdle)
            await stores.filler.work()
            await second.work()
            #expect(try await stores.known(names).count == names.count)
            let expected: [Action] = names.map { gone.contains($0) ? .deny : .write }
            #expect(try await stores.copied(job, names) == expected)
        }
    }

    /// Who takes a name while it is being given back starts with nothing, and its record counts as the later one.
    @Test func aNameIsTakenWhileItIsGivenBack() async throws {
        try await Stores.with { stores in
            let (alice, job) = (try PrincipalName("alice"), try ResourceURI("job://c/p"))
            try await stores.create("alice", job)
            let before = Int(Date().timeIntervalSince1970)
            #expect(try await stores.whileDeleting(alice) { try await stores.principals.create(alice, on: $0) })
            let record = try await stores.closures.records(of: ["alice"], whole: true)[0]
            let deleted = try await stores.pool.query("SELECT version FROM deleted_principals WHERE name = 'alice'")[0]
            #expect(try record.version > deleted.get("version", as: Int.self))
            // The database's clock is this machine's.
            #expect(Int(record.validFrom ?? 0) > before)
            #expect(!record.grants.contains { $0.uri == job.canonical })
        }
    }

    /// Nothing is made below a principal that is being deleted, and what was being made below it goes with it.
    @Test func nothingStaysBelowWhatIsDeleted() async throws {
        try await Stores.with { stores in
            let (alice, role) = (try PrincipalName("alice"), try PrincipalName("alice/roles/x"))
            try await stores.create("alice")
            #expect(try await !stores.whileDeleting(alice) { try await stores.principals.hold(alice, on: $0) })
            try await stores.create("alice")
            let deletion = try await stores.pool.transaction { connection in
                #expect(try await stores.principals.hold(alice, on: connection))
                let deletion = Task { try await stores.principals.delete(alice) }
                try await stores.waitForALock()
                _ = try await stores.principals.create(role, on: connection)
                return deletion
            }
            #expect(try await deletion.value == ["alice", "alice/roles/x"])
            #expect(try await !stores.principals.exists(role))
        }
    }
}

/// The parts around the copy, with stores of the test's own.
private struct Stores: Sendable {
    let pool: PostgresPool
    let redis: RedisClient
    let copy: AccessCopy
    let closures: ClosureStore
    let filler: CopyFiller
    let outbox: ACLOutbox
    let keeper: CopyKeeper
    let judge: Judge
    let principals: PrincipalStore
    let grants: GrantStore
    let logger: Logger

    static func with(_ body: (Stores) async throws -> Void) async throws {
        try await Auth.turnstile.pass {
            let server = try PrivateRedis()
            defer { server.kill() }
            try server.start()
            try await TestDatabase.with(migrations: Migrations.all) { database in
                let logger = Logger(label: "filler-tests")
                let pool = PostgresPool(try PostgresConfiguration(url: database.url), logger: logger)
                let redis = RedisClient(try RedisConfiguration(url: server.url), logger: logger)
                defer { redis.close() }
                let (copy, closures) = (AccessCopy(redis, prefix: "t:"), ClosureStore(pool: pool))
                let filler = CopyFiller(copy: copy, closures: closures, redis: redis, logger: logger)
                let outbox = ACLOutbox(pool: pool, closures: closures, copy: copy, filler: filler)
                let keeper = CopyKeeper(copy: copy, outbox: outbox, logger: logger)
                let stores = Stores(
                    pool: pool, redis: redis, copy: copy, closures: closures, filler: filler, outbox: outbox, keeper: keeper,
                    judge: Judge(copy: copy, closures: closures, filler: filler, logger: logger), principals: PrincipalStore(pool: pool),
                    grants: GrantStore(pool: pool), logger: logger)
                await keeper.look()
                // Whatever is asked also walks through the roles of everybody.
                try await stores.create("public")
                await filler.work()
                try await body(stores)
            }
        }
    }

    /// A principal that may write to that place.
    func create(_ name: String, _ uri: ResourceURI? = nil) async throws {
        let principal = try PrincipalName(name)
        _ = try await pool.transaction { try await principals.create(principal, on: $0) }
        if let uri { _ = try await grants.add([Permission(uri, .write)], to: principal) }
        try await outbox.publish([name])
    }

    /// That many grants more.
    func load(_ name: String, _ count: Int) async throws {
        try await pool.execute(
            """
            INSERT INTO grants (principal, uri, scheme, segments, action) SELECT \(name), 'job://c/o/p' || i, 'job', ARRAY['c', 'o', 'p' || i], 3
            FROM generate_series(1, \(count)::int) AS i
            """)
    }

    func revoke(_ uri: ResourceURI, from name: String) async throws {
        #expect(try await grants.remove([uri], from: PrincipalName(name)) == 1)
        try await outbox.publish([name])
    }

    /// What is answered, whoever answers it.
    func holds(_ uri: ResourceURI, _ name: String) async throws -> Bool {
        try await judge.judge([Question(principal: PrincipalName(name), uris: [uri])])[0].actions[0] >= .read
    }

    /// Those of which the copy has a record.
    func known(_ names: [String]) async throws -> [String] {
        let trust = try #require(copy.trust)
        let found = try await redis.pipeline(names.map { ["EXISTS", .init("t:\(trust.short):\($0)")] })
        return zip(names, found).filter { $1.int == 1 }.map(\.0)
    }

    /// What the copy says, and nobody else.
    func copied(_ uri: ResourceURI, _ names: [String]) async throws -> [Action] {
        let trust = try #require(copy.trust)
        let questions = try names.map { Question(principal: try PrincipalName($0), uris: [uri]) }
        guard case .verdicts(let verdicts) = try await copy.ask(questions, trust) else { return [] }
        return verdicts.map { $0.actions[0] }
    }

    /// Does something in a transaction that has to wait for one that has deleted the principal.
    func whileDeleting<T: Sendable>(
        _ principal: PrincipalName, _ body: @escaping @Sendable (PostgresConnection) async throws -> T
    ) async throws -> T {
        let waiting = try await pool.transaction { connection in
            #expect(try await principals.delete(principal, on: connection) != nil)
            let waiting = Task { try await pool.transaction { try await body($0) } }
            try await waitForALock()
            return waiting
        }
        return try await waiting.value
    }

    /// Until somebody waits for a lock in this database.
    func waitForALock() async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        let waiters: PostgresQuery = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        while try await pool.query(waiters).isEmpty {
            try #require(ContinuousClock.now < deadline)
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
