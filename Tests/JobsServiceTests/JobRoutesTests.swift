import Foundation
import PlatformClients
import PlatformModel
import Postgres
import ServiceKit
import TestSupport
import Testing

@testable import JobsService

/// One job over a socket: reading, cancelling, limiting, reporting, dropping.
@Suite struct JobRoutesTests {
    private func create(_ service: TestService, _ token: String = "alice", name: String? = nil) async throws -> JobID {
        var body: Body = [
            "image": "busybox", "project_name": token == "bob" ? "other" : "proj", "org_name": token == "bob" ? "beta" : "acme",
        ]
        if let name { body["name"] = .string(name) }
        let answer = try await service.post("/api/v1/jobs?from_preset", token: token, body)
        #expect(answer.status == 202, "\(answer.body)")
        return try answer.json(JobResponse.self).id
    }

    private func job(_ service: TestService, _ id: JobID) async throws -> JobResponse {
        try await service.get("/api/v1/jobs/\(id)", token: "root").json(JobResponse.self)
    }

    @Test func anUnknownJobIsABadRequest() async throws {
        try await Fixture.run { service, _ in
            for text in ["job-11111111-1111-1111-1111-111111111111", "no-such", "%22odd%20one%22", "job-x"] {
                let answer = try await service.get("/api/v1/jobs/\(text)", token: "alice")
                #expect(answer.status == 400)
                #expect(answer.error == "no such job \(try #require(text.removingPercentEncoding))")
                #expect(try await service.delete("/api/v1/jobs/\(text)", token: "alice").status == 400)
            }
            // Who asks comes first, also at the internal endpoints.
            #expect(try await service.get("/api/v1/jobs/no-such", token: "deleted").status == 401)
            #expect(try await service.put("/api/v1/jobs/no-such/status").status == 401)
            let notFound = try await service.get("/api/v1/jobs/", token: "alice")
            #expect(notFound.status == 404 && notFound.body == "404: Not Found")
            let wrong = try await service.post("/api/v1/jobs/x", token: "alice")
            #expect(wrong.status == 405 && wrong.body == "405: Method Not Allowed")
        }
    }

    @Test func aJobIsFoundByIdOrByItsOwnersName() async throws {
        try await Fixture.run { service, neighbours in
            let first = try await create(service, name: "train")
            #expect(try await service.delete("/api/v1/jobs/train", token: "alice").status == 204)
            let second = try await create(service, name: "train")
            #expect(try await service.get("/api/v1/jobs/train", token: "alice").json(JobResponse.self).id == second)
            #expect(try await service.get("/api/v1/jobs/\(first)", token: "reader").status == 200)
            // Somebody else's name is not a name here.
            #expect(try await service.get("/api/v1/jobs/train", token: "reader").error == "no such job train")
            let foreign = try await service.get("/api/v1/jobs/\(second)", token: "bob")
            #expect(foreign.status == 403)
            #expect(
                foreign.body
                    == #"{"missing":[{"action":"read","uri":"job://test-cluster/acme/proj/\#(second)"},{"action":"read","uri":"job://test-cluster/acme/proj/train"}]}"#
            )
            // Shared by name.
            neighbours.change { state in
                state.grants["bob"]?.append(Permission(ResourceURI(.job, [Fixture.cluster, "acme", "proj", "train"]), .read))
            }
            #expect(try await service.get("/api/v1/jobs/\(second)", token: "bob").status == 200)
            #expect(try await service.delete("/api/v1/jobs/\(second)", token: "bob").status == 403)
        }
    }

    @Test func cancellingIsRepeatable() async throws {
        try await Fixture.run { service, _ in
            let id = try await create(service)
            let refused = try await service.delete("/api/v1/jobs/\(id)", token: "reader")
            #expect(refused.status == 403)
            #expect(refused.body == #"{"missing":[{"action":"write","uri":"job://test-cluster/acme/proj/\#(id)"}]}"#)
            for _ in 0..<2 {
                let answer = try await service.delete("/api/v1/jobs/\(id)", token: "alice")
                #expect(answer.status == 204 && answer.data.isEmpty)
            }
            let job = try await job(service, id)
            #expect(job.status == .cancelled && job.history.reason == "UserRequested" && job.statuses.count == 2)
            #expect(job.history.startedAt == job.history.finishedAt)
        }
    }

    @Test func theClusterReportsWhatItSees() async throws {
        try await Fixture.run { service, _ in
            let id = try await create(service)
            let path = "/api/v1/jobs/\(id)/status"
            let refused = try await service.put(path, token: "alice", ["status": "running"])
            #expect(refused.status == 403)
            #expect(refused.body == #"{"missing":[{"action":"manage","uri":"job://test-cluster"}]}"#)
            #expect(try await service.put("/api/v1/jobs/some-name/status", token: "poller", ["status": "running"]).status == 400)
            for (body, text) in [
                (["status": "abrakadabra"], "'abrakadabra' is not a valid JobStatus"), (["status": "running", "reason": ""], "blank"),
                (["status": "running", "extra": 1], "extra is not allowed key"), ([:], "is required"),
            ] as [(Body, String)] {
                let answer = try await service.put(path, token: "poller", body)
                #expect(answer.status == 400 && answer.error?.contains(text) == true, "\(answer.body)")
            }
            let running: Body = ["status": "running", "reason": nil, "description": nil, "exit_code": nil]
            for _ in 0..<2 { #expect(try await service.put(path, token: "poller", running).status == 204) }
            let failed: Body = ["status": "failed", "reason": "Error", "description": "boom", "exit_code": 42]
            #expect(try await service.put(path, token: "poller", failed).status == 204)
            let after = try await service.put(path, token: "poller", running)
            #expect(after.status == 400 && after.error == "Invalid job status transition")
            let job = try await job(service, id)
            #expect(job.statuses.map(\.status) == [.pending, .running, .failed])
            #expect(job.history.exitCode == 42 && job.history.description == "boom" && job.history.reason == "Error")
            #expect(job.history.startedAt == job.statuses[1].transitionTime && job.history.finishedAt == job.statuses[2].transitionTime)
        }
    }

    @Test func runTimeLimits() async throws {
        try await Fixture.run { service, _ in
            let id = try await create(service)
            let path = "/api/v1/jobs/\(id)/max_run_time_minutes"
            #expect(try await service.put(path, token: "alice", ["max_run_time_minutes": 10]).status == 204)
            #expect(try await service.put(path, token: "alice", ["additional_max_run_time_minutes": 15]).status == 204)
            #expect(try await job(service, id).maxRunTimeMinutes == 25)
            for body in [[:], ["max_run_time_minutes": 1, "additional_max_run_time_minutes": 1]] as [Body] {
                #expect(
                    try await service.put(path, token: "alice", body).error
                        == "Exactly one of 'max_run_time_minutes' and 'additional_max_run_time_minutes' allowed")
            }
            #expect(try await service.put(path, token: "alice", ["additional_max_run_time_minutes": 0]).status == 400)
            #expect(try await service.put(path, token: "reader", ["max_run_time_minutes": 1]).status == 403)
        }
    }

    /// The controller writes the same record; whoever comes second adds to what is there, and is not told of a race.
    @Test func runTimeIsAddedWhileOthersWrite() async throws {
        try await Fixture.run { service, _ in
            let id = try await create(service)
            let path = "/api/v1/jobs/\(id)/max_run_time_minutes"
            try await withThrowingTaskGroup(of: (Int, String).self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        let answer = try await service.put(path, token: "alice", ["additional_max_run_time_minutes": 3])
                        return (answer.status, answer.body)
                    }
                }
                for try await (code, body) in group { #expect(code == 204, "\(body)") }
            }
            #expect(try await job(service, id).maxRunTimeMinutes == 24)
        }
    }

    @Test func droppingRemovesTheRecordOfAFinishedJob() async throws {
        try await Fixture.run { service, _ in
            let id = try await create(service)
            let path = "/api/v1/jobs/\(id)"
            #expect(try await service.post(path + "/drop", token: "alice").status == 400)
            #expect(try await service.delete(path, token: "alice").status == 204)
            #expect(
                try await service.post(path + "/drop_progress", token: "alice", ["logs_removed": true]).error
                    == "Job \(id) is not being dropped")
            #expect(try await service.post(path + "/drop", token: "reader").status == 403)
            for _ in 0..<2 { #expect(try await service.post(path + "/drop", token: "alice").status == 204) }
            #expect(try await service.post(path + "/drop_progress", token: "alice", [:] as Body).status == 204)
            let job = try await job(service, id)
            #expect(job.beingDropped && !job.logsRemoved)
            #expect(try await service.post(path + "/drop_progress", token: "alice", ["logs_removed": true]).status == 204)
            #expect(try await service.get(path, token: "alice").error == "no such job \(id)")
        }
    }

    @Test func aJobOfARemovedClusterIsStillAnswered() async throws {
        let neighbours = try Neighbours(Fixture.state())
        try await Fixture.run(neighbours, settings: ["jobs.policy.interval": "0.2"]) { service, _ in
            let answer = try await service.post(
                "/api/v1/jobs?from_preset", token: "alice", ["image": "x", "project_name": "proj", "http": ["port": 80]] as Body)
            let id = try answer.json(JobResponse.self).id
            neighbours.change { $0.clusters = [] }
            var job = try await job(service, id)
            for _ in 0..<100 where !job.status.isFinished {
                try await Task.sleep(for: .milliseconds(100))
                job = try await self.job(service, id)
            }
            #expect(job.status == .failed && job.history.reason == "ClusterNotFound")
            #expect(job.httpURL == "https://\(id).\(job.namespace).missing-cluster")
            #expect(job.priceCreditsPerHour == .zero)
        }
    }

    @Test func brokenConnectionsAreNotTheCallersConcern() async throws {
        try await Fixture.run { service, _ in
            let id = try await create(service)
            try await confirmation("connections were killed") { killed in
                let admin = try await service.assembly.context.postgres()
                for _ in 0..<10 {
                    async let reads = withThrowingTaskGroup(of: Int.self) { group in
                        for _ in 0..<4 { group.addTask { try await service.get("/api/v1/jobs/\(id)", token: "alice").status } }
                        return try await group.reduce(into: []) { $0.append($1) }
                    }
                    _ = try? await admin.query(
                        """
                        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                        WHERE datname = current_database() AND pid <> pg_backend_pid()
                        """)
                    #expect(try await reads == [200, 200, 200, 200])
                }
                killed()
            }
        }
    }

    @Test func policiesEndWhatRanTooLong() async throws {
        try await Fixture.withStore { store in
            func running(minutes: Double, limit: Int?) async throws -> JobID {
                var draft = Fixture.draft()
                draft.maxRunTimeMinutes = limit
                let job = try await store.insert(draft)
                try await store.apply([.reported(.init(.running))], to: job.id)
                // Moved into the past.
                var moved = try #require(try await store.job(job.id)).history.items
                for index in moved.indices {
                    let time = moved[index].transitionTime.microseconds
                    moved[index].transitionTime = UTCTime(microseconds: time - Int64(minutes * 60_000_000))
                }
                try await store.pool.execute("UPDATE jobs SET history = \(PostgresJSON(moved)) WHERE id = \(job.id.text)")
                return job.id
            }
            let over = try await running(minutes: 2, limit: 1)
            let under = try await running(minutes: 2, limit: 5)
            let unlimited = try await running(minutes: 1_000, limit: nil)
            let pending = try await store.insert(Fixture.draft())
            #expect(try await store.overdue().map(\.id) == [over])
            for id in [under, unlimited, pending.id] { #expect(try await store.job(id)?.isFinished == false) }
        }
    }
}
