import Foundation
import PlatformClients
import PlatformModel
import Postgres
import TestSupport
import Testing

/// Requests that wait for a change.
@Suite(.timeLimit(.minutes(5)))
struct FollowerTests {
    private let path = "/api/v1/clusters"

    private func tag(_ platform: Platform, _ token: String, _ more: String = "") async throws -> String {
        try #require(try await platform.service.get(path + more, token: token).headers.first(name: "ETag"))
    }

    /// Runs `change` while a request waits, and answers with what the request got and how long it took from the change on.
    private func waiting(
        _ platform: Platform, _ token: String, _ more: String = "", seconds: Int = 20, until change: () async throws -> Void
    ) async throws -> (answer: TestAnswer, took: Duration) {
        let tag = try await tag(platform, token, more)
        async let answer = platform.service.get(path + more + "?wait=\(seconds)", token: token, headers: ["If-None-Match": tag])
        try await change()
        let start = ContinuousClock.now
        return (try await answer, ContinuousClock.now - start)
    }

    @Test func aFollowerHearsOfAChangeAtOnce() async throws {
        try await Platform.run { platform in
            try await platform.makeCluster("company")
            let jobs = platform.client(try await platform.token("jobs-api", kind: .controlPlane))
            // Asking at intervals would take too long to be seen here.
            var changes = jobs.clusterChanges(every: .seconds(3600)).makeAsyncIterator()
            #expect(try await changes.next()?.map(\.name.text) == ["company"])
            let start = ContinuousClock.now
            for zone in ["Europe/Berlin", "Europe/Kyiv", "Asia/Tokyo"] {
                try await platform.patch("company", "{\"timezone\": \"\(zone)\"}")
                #expect(try await changes.next()?.map(\.timezone) == [zone])
            }
            #expect(ContinuousClock.now - start < .seconds(10))
        }
    }

    @Test func aChangeOnAnotherReplicaIsHeard() async throws {
        try await TestDatabase.with { database in
            let settings = ["postgres.url": database.url]
            try await Platform.run(settings: settings) { platform in
                try await platform.makeCluster("company")
                try await platform.another([:]) { other in
                    let token = try await platform.token("jobs-api", kind: .controlPlane)
                    let (answer, took) = try await waiting(platform, token, "/company") {
                        try await other.patch("company", #"{"location": "x"}"#)
                    }
                    #expect(answer.status == 200 && took < .seconds(12))
                    #expect(try answer.json(ClusterDocument.self).location == "x")
                }
            }
        }
    }

    @Test func theTimeIsUpWithoutAChange() async throws {
        try await Platform.run { platform in
            try await platform.makeCluster("company")
            try await platform.makeCluster("other")
            let admin = try await platform.token("admin")
            let start = ContinuousClock.now
            // What happens to another cluster is no change of this one.
            let (answer, _) = try await waiting(platform, admin, "/company", seconds: 1) {
                try await platform.patch("other", #"{"location": "x"}"#)
            }
            #expect(answer.status == 304 && ContinuousClock.now - start >= .seconds(1))
            // Without a known state, or with an old one, there is nothing to wait for.
            #expect(try await platform.service.get(path + "?wait=20", token: admin).status == 200)
            let old = try await platform.service.get(path + "?wait=20", token: admin, headers: ["If-None-Match": "\"old\""])
            #expect(old.status == 200)
            #expect(try await platform.service.get(path + "?wait=soon", token: admin).status == 400)
        }
    }

    @Test func whoIsRevokedWhileWaitingLearnsNothingMore() async throws {
        try await Platform.run { platform in
            try await platform.makeCluster("company")
            try platform.neighbours.grant("alice", "cluster://company/access", .read)
            let (answer, _) = try await waiting(platform, platform.token("alice"), "/company") {
                platform.neighbours.revoke("alice")
                try await platform.patch("company", #"{"location": "x"}"#)
            }
            #expect(answer.status == 401)
        }
    }

    @Test func soManyWaitAndNoMore() async throws {
        try await Platform.run(settings: ["config.caller.followers": "1"]) { platform in
            try await platform.makeCluster("company")
            let admin = try await platform.token("admin")
            let tag = try await tag(platform, admin)
            // Two at once: one of them is told at once that nothing changed, the other waits for the change.
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        try await platform.service.get(path + "?wait=20", token: admin, headers: ["If-None-Match": tag]).status
                    }
                }
                #expect(try await group.next() == 304)
                try await platform.patch("company", #"{"location": "x"}"#)
                #expect(try await group.next() == 200)
            }
        }
    }

    @Test func anOutageOfTheDatabaseIsSurvived() async throws {
        let server = try #require(URLComponents(string: TestServers.postgresURL))
        try await TestDatabase.with { database in
            try await Platform.run(settings: ["postgres.url": database.url]) { platform in
                try await platform.makeCluster("company")
                try await TestProxy.with(host: server.host ?? "127.0.0.1", port: server.port ?? 5432) { proxy in
                    var url = try #require(URLComponents(string: database.url))
                    (url.host, url.port) = ("127.0.0.1", proxy.port)
                    try await platform.another(["postgres.url": try #require(url.string)]) { cut in
                        let jobs = cut.client(try await cut.token("jobs-api", kind: .controlPlane))
                        var changes = jobs.clusterChanges(every: .milliseconds(100)).makeAsyncIterator()
                        _ = try await changes.next()
                        try await proxy.cut()
                        // Nobody tells this replica of it.
                        try await platform.patch("company", #"{"location": "first"}"#)
                        try await proxy.restore()
                        #expect(try await changes.next()?.map(\.location) == ["first"])
                        // And it listens again.
                        let start = ContinuousClock.now
                        try await platform.patch("company", #"{"location": "second"}"#)
                        #expect(try await changes.next()?.map(\.location) == ["second"])
                        #expect(ContinuousClock.now - start < .seconds(12))
                    }
                }
            }
        }
    }

    @Test func stoppingDoesNotWaitForThoseWhoWait() async throws {
        try await Platform.run { platform in
            try await platform.makeCluster("company")
            let admin = try await platform.token("admin")
            let (answer, took) = try await waiting(platform, admin) {
                // One that began before this answer waits by now.
                _ = try await platform.service.get(path, token: admin)
                platform.service.assembly.shutDown()
            }
            #expect(answer.status == 304 && took < .seconds(12))
        }
    }
}
