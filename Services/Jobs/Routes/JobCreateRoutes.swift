import Hummingbird
import PlatformModel
import ServiceKit

/// `POST /api/v1/jobs` (jobs-api.md 5).
struct JobCreateRoutes: Sendable {
    let creator: JobCreator

    func register(on router: PlatformRouter) {
        router.post("/api/v1/jobs", access: .principal) { request, context in
            // The key alone counts, with any value or none.
            let (job, cluster) = try await creator.create(
                request.ordered(context), flat: context.query.first("from_preset") != nil, caller: context.requireCaller())
            let view = JobView(cluster: cluster, now: job.history.createdAt)
            return JSONResponse(view.response(job, created: true), status: .accepted)
        }
    }
}
