import Foundation
import Logging
import Postgres
import Redis
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import AuthService

/// Redis flushed, restarted with an older copy, stopped; Postgres cut off: no revoked grant lives, none is missing, nothing is guessed.
@Suite struct FaultTests {
    @Test func flushesAndOlderCopiesUnderLoad() async throws {
        try await withReplicas { first, second, redis, client in
            let (done, total, gate) = (Flag(), Counter(), Gate())
            for index in 0..<4 {
                try await first.users("user\(index)", "user\(index)/team")
                try await first.grant("image://c/team/user\(index)", "read", to: "user\(index)/team")
            }
            let results = try await withThrowingTaskGroup(of: (Int, [String]).self, returning: [(Int, [String])].self) { group in
                for index in 0..<4 {
                    group.addTask { try await churn(first, second, "user\(index)", rounds: total, gate) { done.isSet } }
                }
                group.addTask {
                    defer { done.set() }
                    // Three times, and until enough was done meanwhile on a machine however busy.
                    let deadline = ContinuousClock.now + .seconds(120)
                    var count = 0
                    while count < 3 || (total.count <= 20 && .now < deadline) {
                        try await sabotage(redis, client, gate) {
                            for auth in [first, second] { _ = try await auth.holds("job://c/p", "read", "user0") }
                        }
                        count += 1
                    }
                    return (0, [])
                }
                var results: [(Int, [String])] = []
                for try await result in group { results.append(result) }
                return results
            }
            let (rounds, wrong) = (results.map(\.0).reduce(0, +), results.flatMap(\.1))
            #expect(wrong == [])
            #expect(rounds > 20)
            // The copy is in use again, not just Postgres.
            try await first.waitForCopy()
        }
    }

    /// Nothing about the server tells it: neither its run id nor its replication id changes, and connections stay.
    @Test func anOlderCopyInTheSameLifeIsNoticed() async throws {
        try await withReplicas { first, second, _, client in
            try await first.users("alice", "bob")
            try await first.grant("job://c/p", "write", to: "alice")
            try await first.waitForCopy()
            try await second.waitForCopy()
            #expect(try await second.holds("job://c/p", "write", "alice"))
            try await client.send("SAVE")
            #expect(try await first.revoke("job://c/p", from: "alice").status == 204)
            try await first.grant("job://c/q", "write", to: "bob")
            #expect(try await !second.holds("job://c/p", "read", "alice"))
            // The one that has asked since; the other follows.
            try await client.send("DEBUG", ["RELOAD", "NOSAVE"])
            #expect(try await !second.holds("job://c/p", "read", "alice"))
            for auth in [second, first, second, first] {
                #expect(try await !auth.holds("job://c/p", "read", "alice"))
                #expect(try await auth.holds("job://c/q", "write", "bob"))
            }
            // A generation that was given up, found again with its name.
            try await first.waitForCopy()
            try await client.send("DEBUG", ["RELOAD", "NOSAVE"])
            for auth in [first, second] {
                #expect(try await !auth.holds("job://c/p", "read", "alice"))
                #expect(try await auth.holds("job://c/q", "write", "bob"))
            }
            try await second.waitForCopy()
            #expect(try await !second.holds("job://c/p", "read", "alice"))
        }
    }

    /// Whoever is asked need not know of the later change: who does looks for itself.
    @Test func anOlderCopyIsNoticedByWhoeverKnows() async throws {
        try await withReplicas { first, second, _, client in
            try await first.users("alice")
            try await first.grant("job://c/p", "write", to: "alice")
            try await first.waitForCopy()
            try await second.waitForCopy()
            #expect(try await second.holds("job://c/p", "write", "alice"))
            try await client.send("SAVE")
            #expect(try await first.revoke("job://c/p", from: "alice").status == 204)
            try await client.send("DEBUG", ["RELOAD", "NOSAVE"])
            let deadline = ContinuousClock.now + .seconds(30)
            while try await second.holds("job://c/p", "read", "alice"), .now < deadline { try await Task.sleep(for: .milliseconds(20)) }
            #expect(try await !second.holds("job://c/p", "read", "alice"))
        }
    }

    /// Everything is read again in parts, beside the checks.
    @Test func aRebuildIsInNobodysWay() async throws {
        try await withReplicas { first, second, _, client in
            try await first.users("huge", "mover", "mover/team")
            try await first.grant("image://c/team/mover", "read", to: "mover/team")
            let pool = first.pool
            try await pool.execute("INSERT INTO principals (name) SELECT 'load' || i FROM generate_series(0, 29) AS i")
            for (name, count) in [("huge", 12_000)] + (0..<30).map({ ("load\($0)", 500) }) {
                try await pool.execute(
                    """
                    INSERT INTO grants (principal, uri, scheme, segments, action) SELECT \(name), 'job://c/' || \(name) || '/p' || i, 'job',
                        ARRAY['c', \(name), 'p' || i], 3 FROM generate_series(0, \(count - 1)::int) AS i
                    """)
            }
            try await client.send("FLUSHALL")
            let done = Flag()
            let wrong = try await withThrowingTaskGroup(of: [String].self) { group in
                for worker in 0..<4 {
                    group.addTask {
                        var (wrong, turn) = ([String](), worker)
                        while !done.isSet {
                            turn += 7
                            let name = turn % 5 == 0 ? "huge" : "load\(turn % 30)"
                            let auth = turn % 2 == 0 ? first : second
                            let asked = [("job://c/\(name)/p\(turn % 500)/x", "write"), ("job://c/\(name)/q", "read")]
                            let missing = try await auth.missing(asked, of: name)
                            if missing != ["read job://c/\(name)/q"] { wrong.append("\(name): \(missing)") }
                        }
                        return wrong
                    }
                }
                // Changes beside it.
                group.addTask { try await churn(first, second, "mover", rounds: Counter()) { done.isSet }.1 }
                group.addTask {
                    defer { done.set() }
                    try await first.waitForCopy()
                    try await second.waitForCopy()
                    return []
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(wrong == [])
            let records = try await client.send("KEYS", ["acl:*:load*"]).array?.compactMap(\.string) ?? []
            #expect(records.count { !$0.contains(":lease:") } == 30)
            let huge = try #require(try await client.send("KEYS", ["acl:*:huge"]).array?.first?.string)
            #expect(try await client.send("HLEN", [.init(huge)]).int ?? 0 > 12_000)
            // A change of a large one is felt at once, and does not wait for the record to be written again.
            let revoked = try await first.revoke("job://c/huge/p7", from: "huge")
            #expect(revoked.status == 204, "\(revoked.body)")
            #expect(
                try await second.missing([("job://c/huge/p7", "read"), ("job://c/huge/p8", "write")], of: "huge") == [
                    "read job://c/huge/p7"
                ])
        }
    }

    /// The list is looked at when something was committed, not just at intervals.
    @Test func whatAnotherLeftIsPublishedAtOnce() async throws {
        try await Auth.with(["acl.interval": "600"]) { auth in
            try await auth.users("alice")
            try await auth.grant("job://c/p", "write", to: "alice")
            try await auth.waitForCopy()
            #expect(try await auth.holds("job://c/p", "write", "alice"))
            // Listening begins a moment after the start.
            let deadline = ContinuousClock.now + .seconds(30)
            repeat {
                _ = try await auth.pool.transaction { connection in
                    try await connection.execute("DELETE FROM grants WHERE principal = 'alice' AND uri = 'job://c/p'")
                    try await ACLOutbox.touch(["alice"], on: connection)
                }
                try await Task.sleep(for: .milliseconds(300))
            } while try await auth.holds("job://c/p", "read", "alice") && .now < deadline
            #expect(try await !auth.holds("job://c/p", "read", "alice"))
        }
    }

    /// What was committed while nobody listened is found when listening begins again.
    @Test func aListenerWhoseConnectionBreaksLosesNothing() async throws {
        try await Auth.with(["acl.interval": "600"]) { auth in
            try await auth.users("alice")
            try await auth.waitForCopy()
            func listeners() async throws -> [Int] {
                try await auth.pool.query(
                    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%acl_outbox%'"
                ).map { try $0.get("pid") }
            }
            for round in 0..<3 {
                let uri = "job://c/p\(round)"
                try await auth.grant(uri, "write", to: "alice")
                #expect(try await auth.holds(uri, "write", "alice"))
                try await auth.waitForCopy()
                let deadline = ContinuousClock.now + .seconds(60)
                while try await listeners().isEmpty, .now < deadline { try await Task.sleep(for: .milliseconds(20)) }
                let pids = try await listeners()
                #expect(!pids.isEmpty)
                _ = try await auth.pool.transaction { connection in
                    _ = try await connection.query("SELECT pg_terminate_backend(p) FROM unnest(\(pids)::int[]) AS p")
                    try await connection.execute("DELETE FROM grants WHERE principal = 'alice' AND uri = \(uri)")
                    try await ACLOutbox.touch(["alice"], on: connection)
                }
                while try await auth.holds(uri, "read", "alice"), .now < deadline { try await Task.sleep(for: .milliseconds(20)) }
                #expect(try await !auth.holds(uri, "read", "alice"))
            }
        }
    }

    @Test func withoutRedisPostgresAnswersAndARevocationSaysSo() async throws {
        try await withReplicas { first, second, redis, _ in
            try await first.users("alice")
            try await first.grant("job://c/p", "write", to: "alice")
            #expect(try await second.holds("job://c/p", "write", "alice"))
            redis.kill()
            async let revocation = first.revoke("job://c/p", from: "alice")
            #expect(try await second.holds("user://alice", "read", "alice"))
            let answer = try await revocation
            #expect(answer.status == 503 && answer.headers.first(name: "Retry-After") != nil)
            #expect(try await !second.holds("job://c/p", "read", "alice"))
            try redis.start()
            // The repetition is harmless, and brings it to Redis.
            #expect(try await first.revoke("job://c/p", from: "alice").error == "Operation has no effect")
            try await second.waitForCopy()
            #expect(try await !second.holds("job://c/p", "read", "alice"))
        }
    }

    @Test func anOutageOfRedisIsWaitedOut() async throws {
        try await withReplicas { first, second, redis, _ in
            try await first.users("alice")
            redis.kill()
            async let grant = first.grant("job://c/p", "write", to: "alice")
            try await Task.sleep(for: .milliseconds(500))
            try redis.start()
            let status = try await grant
            #expect(status == 201)
            #expect(try await second.holds("job://c/p", "write", "alice"))
        }
    }

    @Test func whatAnotherLeftUnpublishedIsPublished() async throws {
        try await withReplicas { first, second, _, _ in
            try await first.users("alice")
            try await first.grant("job://c/p", "write", to: "alice")
            #expect(try await second.holds("job://c/p", "write", "alice"))
            // A replica that dies between commit and publication leaves this behind.
            let pool = first.pool
            try await pool.execute("DELETE FROM grants WHERE principal = 'alice' AND uri = 'job://c/p'")
            try await pool.execute(
                """
                WITH v AS (UPDATE principals SET version = nextval('acl_versions') WHERE name = 'alice' RETURNING name, version)
                INSERT INTO acl_outbox (principal, version) SELECT name, version FROM v
                """)
            let deadline = ContinuousClock.now + .seconds(5)
            while try await second.holds("job://c/p", "read", "alice"), .now < deadline { try await Task.sleep(for: .milliseconds(50)) }
            #expect(try await !second.holds("job://c/p", "read", "alice"))
        }
    }

    @Test func withoutPostgresTheCopyAnswersAndWithoutBothNobodyGuesses() async throws {
        let redis = try PrivateRedis()
        try redis.start()
        try await TestDatabase.with { database in
            let parts = try #require(URLComponents(string: database.url))
            try await TestProxy.with(host: parts.host ?? "127.0.0.1", port: parts.port ?? 5432) { proxy in
                var proxied = parts
                proxied.port = proxy.port
                try await Auth.with(["postgres.url": try #require(proxied.string), "redis.url": redis.url]) { auth in
                    let alice = try await auth.users("alice")[0]
                    try await auth.grant("job://c/p", "write", to: "alice")
                    try await auth.waitForCopy()
                    #expect(try await auth.missing([("job://c/p", "write")], of: "alice", by: alice) == [])
                    try await proxy.cut()
                    let start = ContinuousClock.now
                    #expect(
                        try await auth.missing([("job://c/p", "write"), ("job://c/q", "read")], of: "alice", by: alice) == [
                            "read job://c/q"
                        ])
                    #expect(try await auth.tree("uri=job:", of: "alice", by: alice).root.action == .list)
                    // Nobody has waited for the database, as long as callers do otherwise.
                    #expect(ContinuousClock.now - start < .seconds(6))
                    redis.kill()
                    let answer = try await auth.service.post(
                        auth.path("alice", "/permissions/check"), token: alice, [["uri": "job://c/p", "action": "read"]])
                    #expect(answer.status == 503 && answer.headers.first(name: "Retry-After") != nil && !answer.body.contains("missing"))
                    try await proxy.restore()
                    #expect(try await auth.missing([("job://c/p", "write")], of: "alice", by: alice) == [])
                }
            }
        }
    }

    @Test func concurrentChangesOfOnePrincipalAllCount() async throws {
        try await Auth.with { auth in
            try await auth.users("alice")
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<40 {
                    group.addTask {
                        try await persistently { try await auth.grant("job://c/\(index)", index % 2 == 0 ? "read" : "write", to: "alice") }
                    }
                }
                return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
            }
            #expect(statuses == [201])
            let all = (0..<40).map { ("job://c/\($0)", $0 % 2 == 0 ? "read" : "write") }
            #expect(try await auth.missing(all, of: "alice") == [])
            let revoked = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<40 {
                    group.addTask {
                        try await persistently { try await auth.revoke("job://c/\(index)", "job://c/0", from: "alice").status }
                    }
                }
                return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
            }
            #expect(revoked.isSubset(of: [204, 400]))
            #expect(try await auth.missing(all.map { ($0.0, "read") }, of: "alice").count == 40)
        }
    }
}

/// As clients do that are told to try again: changes of one principal wait for one another, and on a busy machine not for ever.
private func persistently(_ call: () async throws -> Int) async throws -> Int {
    let deadline = ContinuousClock.now + .seconds(90)
    while true {
        let status = try await call()
        guard status == 503, .now < deadline else { return status }
    }
}

private final class Counter: Sendable {
    private let value = Mutex(0)
    var count: Int { value.withLock { $0 } }
    func add() { value.withLock { $0 += 1 } }
}

/// Through which rounds go one beside the other, until somebody wants to be alone.
private final class Gate: Sendable {
    private let state = Mutex((isClosed: false, inside: 0))

    func pass<T>(_ body: () async throws -> T) async throws -> T {
        while !state.withLock({ state in
            if !state.isClosed { state.inside += 1 }
            return !state.isClosed
        }) { try await Task.sleep(for: .milliseconds(5)) }
        defer { state.withLock { $0.inside -= 1 } }
        return try await body()
    }

    func alone(_ body: () async throws -> Void) async throws {
        state.withLock { $0.isClosed = true }
        defer { state.withLock { $0.isClosed = false } }
        while state.withLock({ $0.inside > 0 }) { try await Task.sleep(for: .milliseconds(5)) }
        try await body()
    }
}

private final class Flag: Sendable {
    private let value = Mutex(false)
    var isSet: Bool { value.withLock { $0 } }
    func set() { value.withLock { $0 = true } }
}

/// Two replicas on one database and one Redis of the test's own.
private func withReplicas(_ body: @Sendable (Auth, Auth, PrivateRedis, RedisClient) async throws -> Void) async throws {
    try await Auth.turnstile.pass {
        let redis = try PrivateRedis(arguments: ["--enable-debug-command", "yes"])
        try redis.start()
        let client = RedisClient(try RedisConfiguration(url: redis.url), logger: Logger(label: "test"))
        defer { client.close() }
        try await TestDatabase.with { database in
            var settings = ["postgres.url": database.url, "redis.url": redis.url, "redis.prefix": "acl:"]
            try await Auth.with(settings) { first in
                settings["auth.signing-keys"] = first.pem
                try await Auth.with(settings) { second in try await body(first, second, redis, client) }
            }
        }
    }
}

/// Grants and revokes through one replica, checks through the other at once; an answer that was a 503 is asked again.
private func churn(
    _ first: Auth, _ second: Auth, _ name: String, rounds total: Counter, _ gate: Gate = Gate(), until done: @Sendable () -> Bool
) async throws -> (Int, [String]) {
    var (rounds, wrong) = (0, [String]())
    let replicas = [first, second]
    func persist(_ call: (Auth) async throws -> TestAnswer, _ accepted: Set<Int>) async throws {
        for attempt in 0... {
            let status = try await call(replicas[(rounds + attempt) % 2]).status
            if accepted.contains(status) { return }
            guard status == 503 else { return wrong.append("status \(status)") }
        }
    }
    func round() async throws {
        let (uri, role) = ("job://c/\(name)/\(rounds % 7)", "role://\(name)/team")
        let checker = replicas[(rounds + 1) % 2]
        for permission in [["uri": uri, "action": "write"], ["uri": role, "action": "read"]] {
            try await persist({ try await $0.service.post($0.path(name, "/permissions"), token: $0.admin, [permission]) }, [201])
        }
        if try await !checker.holds(uri, "write", name) { wrong.append("round \(rounds): a grant is missing") }
        if try await !checker.holds("image://c/team/\(name)", "read", name) { wrong.append("round \(rounds): a role is missing") }
        // 400: the revocation had been committed when its first answer was 503.
        try await persist({ try await $0.revoke(uri, role, from: name) }, [204, 400])
        if try await checker.holds(uri, "read", name) { wrong.append("round \(rounds): a revoked grant lives") }
        if try await checker.holds("image://c/team/\(name)", "read", name) { wrong.append("round \(rounds): a revoked role lives") }
    }
    while !done() {
        rounds += 1
        try await gate.pass { try await round() }
        total.add()
    }
    return (rounds, wrong)
}

private func sabotage(_ redis: PrivateRedis, _ client: RedisClient, _ gate: Gate, asking: () async throws -> Void) async throws {
    try await Task.sleep(for: .milliseconds(400))
    try await client.send("FLUSHALL")
    try await Task.sleep(for: .milliseconds(400))
    // An older copy: what is dumped now is what the next process starts with.
    try await client.send("SAVE")
    try await Task.sleep(for: .milliseconds(400))
    redis.kill()
    try redis.start()
    try await Task.sleep(for: .milliseconds(1_500))
    // An older copy in the same life of the server, with the same names for everything.
    try await client.send("SAVE")
    try await Task.sleep(for: .milliseconds(400))
    try await gate.alone {
        // Nothing tells a replica of it but what the replica knows: both have asked since the last change.
        try await asking()
        try await client.send("DEBUG", ["RELOAD", "NOSAVE"])
    }
    try await Task.sleep(for: .milliseconds(400))
    // Keys that Redis evicts, one by one.
    for key in try await client.send("KEYS", ["acl:*:user*"]).array?.compactMap(\.string) ?? [] {
        try await client.send("DEL", [RedisArgument(key)])
    }
}
