import Foundation
import PlatformModel
import Postgres
import ServiceKit
import TestSupport
import Testing

@testable import JobsService

/// The database goes away and comes back while clients wait for their runs.
@Suite(.timeLimit(.minutes(5)))
struct JobOutageTests {
    private func run(_ body: @Sendable (TestService, TestProxy) async throws -> Void) async throws {
        let server = try #require(URLComponents(string: TestServers.postgresURL))
        try await TestDatabase.with { database in
            try await TestProxy.with(host: server.host ?? "127.0.0.1", port: server.port ?? 5432) { proxy in
                var through = try #require(URLComponents(string: database.url))
                through.host = "127.0.0.1"
                through.port = proxy.port
                let url = try #require(through.string)
                try await Fixture.run(settings: ["postgres.url": url]) { service, _ in
                    try await body(service, proxy)
                }
            }
        }
    }

    private func create(_ service: TestService, _ name: String) async throws -> TestAnswer {
        let body: Body = ["image": "busybox", "project_name": "proj", "name": .string(name)]
        return try await service.post("/api/v1/jobs?from_preset", token: "alice", body)
    }

    @Test func aClientThatWaitsDoesNotNoticeAShortOutage() async throws {
        try await run { service, proxy in
            let id = try await create(service, "train").json(JobResponse.self).id
            try await withThrowingTaskGroup(of: [Int].self) { group in
                for _ in 0..<3 {
                    group.addTask {
                        // As the published client does, for longer than the outage.
                        var statuses: [Int] = []
                        let end = ContinuousClock.now + .seconds(4)
                        while ContinuousClock.now < end {
                            statuses.append(try await service.get("/api/v1/jobs/\(id)", token: "alice").status)
                            try await Task.sleep(for: .milliseconds(200))
                        }
                        return statuses
                    }
                }
                group.addTask {
                    try await Task.sleep(for: .milliseconds(500))
                    try await proxy.cut()
                    try await Task.sleep(for: .seconds(3))
                    try await proxy.restore()
                    return []
                }
                for try await statuses in group { #expect(statuses.allSatisfy { $0 == 200 }, "\(statuses)") }
            }
            #expect(try await service.delete("/api/v1/jobs/\(id)", token: "alice").status == 204)
        }
    }

    @Test func whatWasAnsweredIsTrueHoweverOftenConnectionsBreak() async throws {
        try await run { service, proxy in
            let made = try await withThrowingTaskGroup(of: JobID?.self) { group in
                group.addTask {
                    for _ in 0..<6 {
                        try await Task.sleep(for: .milliseconds(60))
                        try await proxy.cut()
                        try await proxy.restore()
                    }
                    return nil
                }
                for number in 0..<40 {
                    group.addTask {
                        try await Task.sleep(for: .milliseconds(number * 10))
                        let answer = try await create(service, "name-\(number)")
                        #expect([202, 503].contains(answer.status), "\(answer.body)")
                        guard answer.status == 202 else { return nil }
                        let id = try answer.json(JobResponse.self).id
                        #expect(try await service.delete("/api/v1/jobs/\(id)", token: "alice").status == 204)
                        return id
                    }
                }
                return try await group.reduce(into: Set<JobID>()) { made, id in if let id { made.insert(id) } }
            }
            let store = JobStore(pool: try await service.assembly.context.postgres(), logger: service.assembly.context.logger)
            let jobs = try await store.list(JobFilter(), visibleTo: .all, reverse: false, limit: 1000).jobs
            #expect(Set(jobs.map(\.id)) == made)
            #expect(!made.isEmpty)
            for job in jobs { #expect(job.history.items.map(\.status) == [.pending, .cancelled]) }
        }
    }
}
