import Hummingbird
import PlatformModel
import ServiceKit

/// What a cluster's own machinery may tell about its jobs (jobs-api.md 12.1, 12.2). The controller of this executable does not come this
/// way; the endpoints are for clusters that are looked after from outside.
struct ClusterJobRoutes: Sendable {
    let access: JobAccess
    let store: JobStore
    let effects: JobEffects

    func register(on router: PlatformRouter) {
        router.put("/api/v1/jobs/{job}/status", access: .principal) { request, context in
            let job = try await managed(context)
            return try await change(job, .reported(StatusRequest.report(try await request.ordered(context))))
        }
        router.put("/api/v1/jobs/{job}/materialized", access: .principal) { request, context in
            let job = try await managed(context)
            return try await change(job, .materialized(MaterializedRequest.flag(try await request.ordered(context))))
        }
    }

    private func managed(_ context: PlatformContext) async throws -> JobRecord {
        try await access.jobForClusterManager(context.parameter("job"), caller: context.requireCaller())
    }

    private func change(_ job: JobRecord, _ event: JobEvent) async throws -> HTTPResponse.Status {
        let change = try await store.apply([event], to: job.id, retrying: false)
        await effects.carryOut(change)
        return .noContent
    }
}
