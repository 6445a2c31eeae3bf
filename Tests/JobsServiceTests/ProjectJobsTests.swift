import AsyncHTTPClient
import Logging
import PlatformClients
import PlatformModel
import ServiceKit
import TestSupport
import Testing

@testable import JobsService

/// What becomes of the jobs of a removed project (jobs-api.md 17.5).
@Suite struct ProjectJobsTests {
    @Test func theJobsOfARemovedProjectEnd() async throws {
        try await Fixture.withStore { store in
            let auth = AuthClient(http: .shared, baseURL: "http://127.0.0.1:9", token: Secret("x"))
            let jobs = ProjectJobs(
                store: store, effects: JobEffects(store: store, auth: auth, logger: store.logger), logger: store.logger)
            let waiting = try await store.insert(Fixture.draft(name: "waiting")).id
            let running = try await store.insert(Fixture.draft(name: "running")).id
            try await store.apply([.materialized(true), .reported(JobStatusReport(.running))], to: running)
            let ended = try await store.insert(Fixture.draft(name: "ended")).id
            try await store.apply([.reported(JobStatusReport(.failed, reason: "Error"))], to: ended)
            let others = [
                try await store.insert(Fixture.draft(name: "other", project: "proj-2")).id,
                try await store.insert(Fixture.draft(name: "another", org: "beta")).id,
            ]
            let removal = ProjectRemoval(
                cluster: try ClusterName(Fixture.cluster), org: try OrgName("acme"), project: try ProjectName("proj"))
            try await jobs.cancel(ProjectRemoval(cluster: try ClusterName("elsewhere"), org: removal.org, project: removal.project))
            try await jobs.cancel(ProjectRemoval(cluster: removal.cluster, org: nil, project: removal.project))
            #expect(try await store.job(waiting)?.status == .pending)
            // Twice is as good as once.
            for _ in 0..<2 { try await jobs.cancel(removal) }
            for id in [waiting, running] {
                let job = try #require(try await store.job(id))
                #expect(job.status == .cancelled && job.history.current.reason == nil)
            }
            #expect(try await store.job(running)?.materialized == true)
            #expect(try await store.job(ended)?.history.current.reason == "Error")
            for id in others { #expect(try await store.job(id)?.status == .pending) }
        }
    }
}
