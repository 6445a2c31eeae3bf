import Foundation
import Logging
import Redis
import ServiceKit
import Synchronization
import TestSupport
import Testing

/// Redis flushed, restarted with an older copy, stopped; Postgres cut off: no revoked grant lives, none is missing, nothing is guessed.
@Suite struct FaultTests {
    @Test func flushesAndOlderCopiesUnderLoad() async throws {
        try await withReplicas { first, second, redis, client in
            let done = Flag()
            for index in 0..<4 {
                try await first.users("user\(index)", "user\(index)/team")
                try await first.grant("image://c/team/user\(index)", "read", to: "user\(index)/team")
            }
            let results = try await withThrowingTaskGroup(of: (Int, [String]).self, returning: [(Int, [String])].self) { group in
                for index in 0..<4 {
                    group.addTask { try await churn(first, second, "user\(index)") { done.isSet } }
                }
                group.addTask {
                    defer { done.set() }
                    for _ in 0..<3 { try await sabotage(redis, client) }
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
                    #expect(ContinuousClock.now - start < .seconds(1))
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
                    group.addTask { try await auth.grant("job://c/\(index)", index % 2 == 0 ? "read" : "write", to: "alice") }
                }
                return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
            }
            #expect(statuses == [201])
            let all = (0..<40).map { ("job://c/\($0)", $0 % 2 == 0 ? "read" : "write") }
            #expect(try await auth.missing(all, of: "alice") == [])
            let revoked = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<40 { group.addTask { try await auth.revoke("job://c/\(index)", "job://c/0", from: "alice").status } }
                return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
            }
            #expect(revoked.isSubset(of: [204, 400]))
            #expect(try await auth.missing(all.map { ($0.0, "read") }, of: "alice").count == 40)
        }
    }
}

private final class Flag: Sendable {
    private let value = Mutex(false)
    var isSet: Bool { value.withLock { $0 } }
    func set() { value.withLock { $0 = true } }
}

/// Two replicas on one database and one Redis of the test's own.
private func withReplicas(_ body: @Sendable (Auth, Auth, PrivateRedis, RedisClient) async throws -> Void) async throws {
    let redis = try PrivateRedis()
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

/// Grants and revokes through one replica, checks through the other at once; an answer that was a 503 is asked again.
private func churn(_ first: Auth, _ second: Auth, _ name: String, until done: @Sendable () -> Bool) async throws -> (Int, [String]) {
    var (rounds, wrong) = (0, [String]())
    let replicas = [first, second]
    func persist(_ call: (Auth) async throws -> TestAnswer, _ accepted: Set<Int>) async throws {
        for attempt in 0... {
            let status = try await call(replicas[(rounds + attempt) % 2]).status
            if accepted.contains(status) { return }
            guard status == 503 else { return wrong.append("status \(status)") }
        }
    }
    while !done() {
        rounds += 1
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
    return (rounds, wrong)
}

private func sabotage(_ redis: PrivateRedis, _ client: RedisClient) async throws {
    try await Task.sleep(for: .milliseconds(400))
    try await client.send("FLUSHALL")
    try await Task.sleep(for: .milliseconds(400))
    // An older copy: what is dumped now is what the next process starts with.
    try await client.send("SAVE")
    try await Task.sleep(for: .milliseconds(400))
    redis.kill()
    try redis.start()
    try await Task.sleep(for: .milliseconds(1_500))
    // Keys that Redis evicts, one by one.
    for key in try await client.send("KEYS", ["acl:*:user*"]).array?.compactMap(\.string) ?? [] {
        try await client.send("DEL", [RedisArgument(key)])
    }
}
