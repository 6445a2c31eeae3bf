import Foundation
import Logging
import PlatformModel
import Postgres
import Redis
import ServiceKit
import TestSupport
import Testing

@testable import AuthService

/// The copy in Redis says what Postgres says, and costs one round trip.
@Suite struct CopyTests {
    @Test(arguments: 1...3) func bothAnswerAlike(seed: Int) async throws {
        try await TestDatabase.with(migrations: Migrations.all) { database in
            let logger = Logger(label: "copy-tests")
            let pool = PostgresPool(try PostgresConfiguration(url: database.url), logger: logger)
            let redis = RedisClient(try RedisConfiguration(url: TestRedis.url), logger: logger)
            defer { redis.close() }
            let copy = AccessCopy(redis, prefix: TestRedis.prefix())
            let closures = ClosureStore(pool: pool)
            let filler = CopyFiller(copy: copy, closures: closures, redis: redis, logger: logger)
            let outbox = ACLOutbox(pool: pool, closures: closures, copy: copy, filler: filler)
            let (principals, grants) = (PrincipalStore(pool: pool), GrantStore(pool: pool))
            await CopyKeeper(copy: copy, outbox: outbox, logger: logger).look()
            let trust = try #require(copy.trust)
            let judge = Judge(copy: copy, closures: closures, filler: filler, logger: logger)

            var random = SystemRandomNumberGenerator()
            let names = try (["public"] + (0..<9).map { "p\($0)" } + ["p0/roles/a", "p1/roles/b"]).map { try PrincipalName($0) }
            for name in names { _ = try await pool.transaction { try await principals.create(name, on: $0) } }
            try await outbox.publish(names.map(\.text))
            let segments = ["c", "o", "p"]
            func anyURI() -> ResourceURI {
                let scheme = [ResourceScheme.job, .storage, .user].randomElement(using: &random) ?? .job
                return ResourceURI(
                    scheme, segments.prefix(Int.random(in: 0...3, using: &random)).map { $0 + "\(Int.random(in: 0...1, using: &random))" })
            }
            let missing = try [PrincipalName("nobody"), PrincipalName("p9")]
            for _ in 0..<40 {
                // Between the comparisons something changes, is published or left to its lease.
                let name = names[Int.random(in: 0..<names.count, using: &random)]
                let role = (names + missing)[Int.random(in: 0..<names.count + 2, using: &random)]
                switch Int.random(in: 0...4, using: &random) {
                case 0: _ = try await grants.add([Permission(role.roleURI, .read)], to: name)
                case 1: _ = try await grants.remove([role.roleURI, anyURI()], from: name)
                default:
                    _ = try await grants.add(
                        [Permission(anyURI(), [.read, .write, .manage].randomElement(using: &random) ?? .read)], to: name)
                }
                try await outbox.publish([name.text])
                let questions = (names + missing).shuffled().prefix(5).map {
                    Question(principal: $0, uris: (0..<6).map { _ in anyURI() } + [role.roleURI, role.userURI], everything: .job)
                }
                // What is unknown is answered all the same, and known after it was filled in.
                let (first, slow) = (try await judge.judge(questions), try await closures.judge(questions))
                #expect(zip(first, slow).allSatisfy { $0.validFrom == $1.validFrom && $0.actions == $1.actions })
                await filler.work()
                guard case .verdicts(let fast) = try await copy.ask(questions, trust) else {
                    Issue.record("the copy does not know all")
                    return
                }
                for (fast, slow) in zip(fast, slow) {
                    #expect(fast.validFrom == slow.validFrom && fast.actions == slow.actions)
                    #expect(Set(fast.grants) == Set(slow.grants))
                }
            }
            // Trust held throughout: it was Redis that was compared.
            #expect(copy.trust == trust)
            #expect(try await pool.query("SELECT 1 FROM acl_outbox WHERE principal = 'p0'").isEmpty)
        }
    }

    @Test func aLateFillerDoesNotBringBackWhatWasRevoked() async throws {
        try await TestDatabase.with(migrations: Migrations.all) { database in
            let logger = Logger(label: "copy-tests")
            let pool = PostgresPool(try PostgresConfiguration(url: database.url), logger: logger)
            let redis = RedisClient(try RedisConfiguration(url: TestRedis.url), logger: logger)
            defer { redis.close() }
            let copy = AccessCopy(redis, prefix: TestRedis.prefix())
            let closures = ClosureStore(pool: pool)
            let filler = CopyFiller(copy: copy, closures: closures, redis: redis, logger: logger)
            let outbox = ACLOutbox(pool: pool, closures: closures, copy: copy, filler: filler)
            let (principals, grants) = (PrincipalStore(pool: pool), GrantStore(pool: pool))
            await CopyKeeper(copy: copy, outbox: outbox, logger: logger).look()
            let trust = try #require(copy.trust)
            let judge = Judge(copy: copy, closures: closures, filler: filler, logger: logger)
            let (alice, job) = (try PrincipalName("alice"), try ResourceURI("job://c/p"))
            _ = try await pool.transaction { try await principals.create(alice, on: $0) }
            _ = try await grants.add([Permission(job, .write)], to: alice)
            try await outbox.publish(["alice"])

            // A filler reads, and is held up; meanwhile the grant is revoked and published; then the filler goes on.
            let leases = try await filler.lease(["alice"], trust)
            let stale = try await closures.records(of: ["alice"])
            _ = try await grants.remove([job], from: alice)
            try await outbox.publish(["alice"])
            try await filler.store(stale[0], leases["alice"] ?? "")
            let question = Question(principal: alice, uris: [job])
            #expect(try await judge.judge([question])[0].actions == [.deny])
            // An old publisher that comes late does not either.
            _ = try await copy.publish(stale)
            #expect(try await judge.judge([question])[0].actions == [.deny])
        }
    }

    /// What a check costs Redis must not grow with what a principal holds: a hash of a few hundred short values would be searched through.
    @Test(arguments: [3, 100, 400, 2_500]) func aRecordOfManyGrantsIsATable(count: Int) async throws {
        let server = try PrivateRedis()
        try server.start()
        let logger = Logger(label: "copy-tests")
        let redis = RedisClient(try RedisConfiguration(url: server.url), logger: logger)
        defer { redis.close() }
        let copy = AccessCopy(redis, prefix: "t:")
        let pool = PostgresPool(try PostgresConfiguration(url: TestServers.postgresURL), logger: logger)
        let filler = CopyFiller(copy: copy, closures: ClosureStore(pool: pool), redis: redis, logger: logger)
        _ = try await redis.send("SET", ["t:generation", "g:1"])
        let trust = Trust(connection: try #require(redis.connectionID), generation: "g:1")
        let grants = (0..<count).map { (uri: "job://c/o/p\($0)", action: Action.write) }
        let records = [
            AccessRecord(name: "team", version: 1, validFrom: 0, grants: grants), AccessRecord(name: "public", version: 1, validFrom: 0),
        ]
        let leases = try await filler.lease(["team", "public"], trust)
        for record in records { try await filler.store(record, leases[record.name] ?? "") }
        #expect(try await redis.send("KEYS", ["t:part:*"]).array == [])
        let encoding = try await redis.send("OBJECT", ["ENCODING", "t:g:team"]).string
        #expect(encoding == (count > 32 ? "hashtable" : "listpack"))

        // More places than one call reads, the last ones too; and nothing of the record shows that is no grant.
        let team = try PrincipalName("team")
        let uris = try (0..<1_500).map { try ResourceURI("job://c/o/p\($0)") }
        guard case .verdicts(let verdicts) = try await copy.ask([Question(principal: team, uris: uris, everything: .job)], trust) else {
            Issue.record("the copy did not answer")
            return
        }
        #expect(verdicts[0].actions == uris.indices.map { $0 < count ? .write : .deny })
        #expect(verdicts[0].grants.count == count)
    }

    @Test func aCheckIsOneRoundTrip() async throws {
        let server = try PrivateRedis()
        try server.start()
        try await Auth.with(["redis.url": server.url]) { auth in
            let tokens = try await auth.users("alice", "team")
            try await auth.grant("role://team", "read", to: "alice")
            try await auth.grant("job://c/p", "write", to: "team")
            let redis = RedisClient(try RedisConfiguration(url: server.url), logger: Logger(label: "test"))
            defer { redis.close() }
            func calls() async throws -> Int {
                let text = try await redis.send("INFO", ["commandstats"]).string ?? ""
                let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("cmdstat_evalsha:") } ?? ""
                return line.split(separator: ",").first.flatMap { Int($0.drop { $0 != "=" }.dropFirst()) } ?? 0
            }
            let asked = [("job://c/p/1", "write"), ("job://c/q", "read")]
            #expect(try await auth.missing(asked, of: "alice", by: tokens[0]) == ["read job://c/q"])
            try await auth.waitForCopy()
            let compute = try await auth.token("compute")
            #expect(try await auth.missing(asked, of: "alice", by: compute) == ["read job://c/q"])
            let before = try await calls()
            for _ in 0..<50 {
                _ = try await auth.missing(asked, of: "alice", by: tokens[0])
                _ = try await auth.missing(asked, of: "alice", by: compute)
            }
            // The keeper looks once a second, and when something was committed. A second trip for each kind of check would make 150.
            let count = try await calls() - before
            #expect((100..<150).contains(count))
        }
    }
}
