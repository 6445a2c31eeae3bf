import Foundation
import PlatformClients
import PlatformModel
import ServiceKit
import TestSupport
import Testing

@testable import JobsService

/// `POST /api/v1/jobs` over a socket, with a real database.
@Suite struct JobCreationTests {
    private let jobs = "/api/v1/jobs"
    private let flat = "/api/v1/jobs?from_preset"

    private func nested(_ more: Body = [:]) -> Body {
        [
            "container": ["image": "ubuntu:20.10", "command": "true", "resources": ["cpu": 0.1, "memory": 33_554_432]] as JSON,
            "project_name": "proj",
        ].merging(more) { _, given in given }
    }

    private func fromPreset(_ more: Body = [:]) -> Body {
        ["image": "busybox:latest", "project_name": "proj", "pass_config": false].merging(more) { _, given in given }
    }

    @Test func theWholeAnswerOfAMinimalJob() async throws {
        try await Fixture.run { service, _ in
            let answer = try await service.post(jobs, token: "alice", nested())
            #expect(answer.status == 202)
            #expect(answer.headers.first(name: "Content-Type") == "application/json; charset=utf-8")
            #expect(answer.headers.first(name: "X-Service-Version")?.contains("platform-api") == true)
            var job = try answer.json(JSON.self)
            let id = try #require(job["id"]?.string)
            #expect(id.hasPrefix("job-") && id.count == 40)
            guard case .object(var members) = job, case .object(var history)? = members["history"],
                case .array(let statuses)? = members["statuses"], case .object(var first)? = statuses.first
            else {
                Issue.record("\(answer.body)")
                return
            }
            let time = try #require(history.removeValue(forKey: "created_at")?.string)
            #expect(first.removeValue(forKey: "transition_time")?.string == time)
            #expect(time.hasSuffix("+00:00"))
            members["history"] = .object(history)
            members["statuses"] = [.object(first)]
            job = .object(members)
            let namespace = JobPlace(org: "acme", project: "proj").namespace
            #expect(
                job == [
                    "id": .string(id), "owner": "alice", "namespace": .string(namespace), "cluster_name": "test-cluster",
                    "org_name": "acme", "project_name": "proj", "org_project_hash": "f5b05d7ae7",
                    "uri": .string("job://test-cluster/acme/proj/\(id)"), "status": "pending",
                    "statuses": [["status": "pending", "reason": "Creating", "description": nil]],
                    "history": [
                        "status": "pending", "reason": "Creating", "description": nil, "run_time_seconds": 0, "restarts": 0,
                    ],
                    "container": [
                        "image": "ubuntu:20.10", "command": "true", "env": [:], "volumes": [],
                        "resources": ["cpu": 0.1, "memory": 33_554_432, "memory_mb": 32],
                    ],
                    "scheduler_enabled": false, "preemptible_node": false, "is_preemptible": false,
                    "is_preemptible_node_required": false, "pass_config": false, "privileged": false, "materialized": false,
                    "being_dropped": false, "logs_removed": false, "restart_policy": "never", "priority": "normal",
                    "total_price_credits": "0", "price_credits_per_hour": "10", "internal_hostname": .string("\(id).\(namespace)"),
                ])
        }
    }

    @Test func theClientsOwnRequest() async throws {
        try await Fixture.run { service, _ in
            let answer = try await service.post(
                flat, token: "alice",
                fromPreset([
                    "name": "cli-job", "preset_name": "cpu-small", "tags": ["t2", "t1", "t2"], "description": "desc",
                    "schedule_timeout": 300.0, "max_run_time_minutes": 60, "org_name": "acme", "cluster_name": "test-cluster",
                    "resources": ["shm": true], "command": "sh -c 'echo hi'", "http": ["port": 80, "requires_auth": true], "tty": true,
                    "env": ["A": "b"],
                    "volumes": [["src_storage_uri": "storage://test-cluster/acme/proj/x", "dst_path": "/d"]],
                    "secret_env": ["S": "secret://test-cluster/acme/proj/key"],
                    "disk_volumes": [["src_disk_uri": "disk://test-cluster/acme/proj/disk-1", "dst_path": "/disk", "read_only": false]],
                ]))
            #expect(answer.status == 202, "\(answer.body)")
            let id = try #require(try answer.json(JSON.self)["id"]?.string)
            let read = try await service.get("/api/v1/jobs/cli-job", token: "alice")
            #expect(read.status == 200)
            let job = try read.json(JobResponse.self)
            #expect(job.id.text == id)
            #expect(job.tags == ["t1", "t2"] && job.maxRunTimeMinutes == 60 && job.scheduleTimeout == 300)
            #expect(job.container.resources.shm == true && job.container.tty && job.presetName == "cpu-small")
            #expect(job.httpURL == "https://\(id).jobs.example.org")
            #expect(job.httpURLNamed == "https://cli-job--f5b05d7ae7.jobs.example.org")
            #expect(job.container.volumes.first?.readOnly == true)
            #expect(try read.json(JSON.self)["container"]?["http"] == ["port": 80, "health_check_path": "/", "requires_auth": true])
        }
    }

    @Test func whoIsNotAllowedToWhere() async throws {
        try await Fixture.run { service, _ in
            func refused(_ token: String?, _ body: Body, _ status: Int, _ text: String) async throws {
                let answer = try await service.post(jobs, token: token, body)
                #expect(answer.status == status, "\(answer.body)")
                #expect(answer.body.contains(text), "\(answer.body)")
            }
            try await refused(nil, nested(), 401, "401: Unauthorized")
            try await refused("INVALID", nested(), 401, "401: Unauthorized")
            // The token is well signed, but its owner is gone.
            try await refused("deleted", nested(), 401, "401: Unauthorized")
            try await refused("homeless", nested(), 403, #"{"error":"No clusters"}"#)
            try await refused(
                "alice", nested(["cluster_name": "UNKNOWN!"]), 403,
                #"{"error":"User is not allowed to submit jobs to the specified cluster"}"#)
            try await refused("alice", nested(["org_name": "beta"]), 403, "as a member of given organization")
            try await refused("alice", nested(["project_name": "_"]), 400, "project_name")
            try await refused("alice", nested(["org_name": 5]), 400, "value is not a string")
            try await refused("alice", nested(["cluster_name": nil]), 400, "value is not a string")
            try await refused(
                "reader", nested(), 403, #"{"missing":[{"action":"write","uri":"job://test-cluster/acme/proj"}]}"#)
            // The default project is the owner's own.
            try await refused(
                "alice/service-accounts/ci", ["container": nested()["container"] ?? nil], 403,
                #"{"missing":[{"action":"write","uri":"job://test-cluster/acme/alice"}]}"#)
            try await refused("alice", [:], 400, "is required")
            let wrongKey = try await service.post(jobs, token: "alice", ["wrong_key": 1] as Body)
            #expect(wrongKey.error?.contains("'container': DataError('is required')") == true)
            let list = try await service.post(jobs, token: "alice", ["x"])
            #expect(list.status == 400)
        }
    }

    @Test func everyThingAJobUsesNeedsAPermission() async throws {
        try await Fixture.run { service, _ in
            let answer = try await service.post(
                jobs, token: "alice",
                nested([
                    "container": [
                        "image": "registry.example.org/beta/other/img:v1", "resources": ["cpu": 0.1, "memory": 33_554_432],
                        "volumes": [["src_storage_uri": "storage://test-cluster", "dst_path": "/d", "read_only": false]],
                    ]
                ]))
            #expect(answer.status == 403)
            #expect(
                answer.body
                    == #"{"missing":[{"action":"read","uri":"image://test-cluster/beta/other/img"},{"action":"write","uri":"storage://test-cluster"}]}"#
            )
        }
    }

    @Test func namesAreFreeAgainWhenTheJobHasEnded() async throws {
        try await Fixture.run { service, _ in
            let first = try await service.post(jobs, token: "alice", nested(["name": "train"]))
            let id = try first.json(JobResponse.self).id
            let second = try await service.post(jobs, token: "alice", nested(["name": "train"]))
            #expect(second.status == 400)
            #expect(second.error == "Failed to create job: job with name 'train' and project 'proj' already exists: '\(id)'")
            #expect(
                try await service.post(jobs, token: "alice", nested(["name": "job-name"])).error
                    == "Failed to create job: job name cannot start with 'job-' prefix.")
            #expect(try await service.delete("/api/v1/jobs/train", token: "alice").status == 204)
            #expect(try await service.post(jobs, token: "alice", nested(["name": "train"])).status == 202)
        }
    }

    @Test func quotasAndCredits() async throws {
        let neighbours = try Neighbours(Fixture.state())
        try await Fixture.run(neighbours) { service, _ in
            neighbours.change { $0.users["alice"]?.clusters?[0].quota = Quota(totalRunningJobs: 1) }
            #expect(try await service.post(jobs, token: "alice", nested()).status == 202)
            let over = try await service.post(jobs, token: "alice", nested())
            #expect(over.status == 400 && over.error == "Jobs limit quota exceeded for user 'alice'")
            let waiting = try await service.post(jobs, token: "alice", nested(["wait_for_jobs_quota": true]))
            #expect(waiting.status == 202)
            #expect(try waiting.json(JSON.self)["wait_for_jobs_quota"] == nil)

            neighbours.change {
                $0.users["alice"]?.clusters?[0].quota = nil
                $0.orgClusters["test-cluster/acme"]?.quota = Quota(totalRunningJobs: 2)
            }
            #expect(try await service.post(jobs, token: "alice", nested()).error == "Jobs limit quota exceeded for org 'acme'")
            neighbours.change {
                $0.orgClusters["test-cluster/acme"]?.quota = nil
                $0.users["alice"]?.orgs?[0].balance = Balance(credits: .zero)
            }
            #expect(try await service.post(jobs, token: "alice", nested()).error == "No credits left for user 'alice'")
            neighbours.change {
                $0.users["alice"]?.orgs?[0].balance = Balance(credits: Money(1))
                $0.orgs["acme"]?.balance = Balance(credits: Money(-1))
            }
            #expect(try await service.post(jobs, token: "alice", nested()).error == "No credits left for org 'acme'")
            neighbours.change { $0.orgs["acme"]?.balance = nil }
            #expect(try await service.post(jobs, token: "alice", nested()).status == 202)
        }
    }

    @Test func whatTheClusterMustAllow() async throws {
        let neighbours = try Neighbours(Fixture.state())
        try await Fixture.run(neighbours) { service, _ in
            #expect(
                try await service.post(flat, token: "alice", fromPreset(["privileged": true])).error
                    == "Cluster test-cluster does not allow privileged jobs")
            #expect(
                try await service.post(flat, token: "alice", fromPreset(["priority": "high"])).error
                    == "Cluster test-cluster does not allow specifying job priority")
            neighbours.change {
                $0.clusters[0].orchestrator.allowPrivilegedMode = true
                $0.clusters[0].orchestrator.allowJobPriority = true
            }
            // The change is followed, not asked for at every request.
            var answer = try await service.post(flat, token: "alice", fromPreset(["privileged": true, "priority": "high"]))
            for _ in 0..<50 where answer.status == 400 {
                try await Task.sleep(for: .milliseconds(100))
                answer = try await service.post(flat, token: "alice", fromPreset(["privileged": true, "priority": "high"]))
            }
            #expect(answer.status == 202)
            let job = try answer.json(JobResponse.self)
            #expect(job.privileged && job.priority == .high)
        }
    }

    @Test func theEnergyScheduleShowsFromTheFirstReadOn() async throws {
        try await Fixture.run { service, _ in
            let answer = try await service.post(flat, token: "alice", fromPreset(["preset_name": "gpu"]))
            let created = try answer.json(JobResponse.self)
            #expect(created.schedulerEnabled && created.preemptibleNode && created.energyScheduleName == nil)
            #expect(created.container.resources.nvidiaGPU == 1 && created.container.resources.nvidiaGPUModel == "H100")
            let read = try await service.get("/api/v1/jobs/\(created.id)", token: "alice").json(JobResponse.self)
            #expect(read.energyScheduleName == "default")
            #expect(
                try await service.post(flat, token: "alice", fromPreset(["preset_name": "gpu", "schedule_timeout": 5])).error
                    == "schedule_timeout is not allowed for scheduled jobs")
        }
    }

    @Test func aPassedConfigLivesAsLongAsItsJob() async throws {
        let neighbours = try Neighbours(Fixture.state())
        try await Fixture.run(neighbours) { service, _ in
            let answer = try await service.post(jobs, token: "alice", nested(["pass_config": true]))
            #expect(answer.status == 202, "\(answer.body)")
            let job = try answer.json(JobResponse.self)
            let config = try #require(job.container.env["NEURO_PASSED_CONFIG"].flatMap { Data(base64Encoded: $0) })
            #expect(
                try JSONDecoder().decode([String: String].self, from: config) == [
                    "token": "minted", "cluster": "test-cluster", "org_name": "acme", "project_name": "proj",
                    "url": "http://platform.example/api/v1",
                ])
            let uri = ResourceURI(.token, ["test-cluster", "job", job.id.text])
            func granted() -> Bool { neighbours.permissions(of: "alice")?.contains(Permission(uri, .read)) == true }
            #expect(granted())
            // The job ends, but is still in the cluster; then it leaves.
            #expect(try await service.put("/api/v1/jobs/\(job.id)/materialized", token: "poller", ["materialized": true]).status == 204)
            #expect(try await service.delete("/api/v1/jobs/\(job.id)", token: "alice").status == 204)
            #expect(granted())
            #expect(try await service.put("/api/v1/jobs/\(job.id)/materialized", token: "poller", ["materialized": false]).status == 204)
            #expect(!granted())

            var taken = nested(["pass_config": true])
            taken["container"] = [
                "image": "x", "resources": ["cpu": 0.1, "memory": 33_554_432], "env": ["NEURO_PASSED_CONFIG": "mine"],
            ]
            #expect(
                try await service.post(jobs, token: "alice", taken).error
                    == "Cannot pass config: ENV 'NEURO_PASSED_CONFIG' already specified")
        }
    }

    @Test func aTokenDoesNotOutliveAJobThatWasNotMade() async throws {
        let neighbours = try Neighbours(Fixture.state())
        try await Fixture.run(neighbours) { service, _ in
            let first = try await service.post(jobs, token: "alice", nested(["name": "train"]))
            let second = try await service.post(jobs, token: "alice", nested(["name": "train", "pass_config": true]))
            #expect(first.status == 202 && second.status == 400)
            let schemes = (neighbours.permissions(of: "alice") ?? []).map(\.uri.scheme)
            #expect(!schemes.isEmpty && !schemes.contains(.token))
        }
    }
}
