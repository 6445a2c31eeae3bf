import Hummingbird
import ServiceKit

/// `GET /audit`: who did what, for those who manage all users.
struct AuditRoutes: Sendable {
    let directory: Directory

    func register(on router: PlatformRouter) {
        router.get("/api/v1/audit", access: .principal) { _, context in
            JSONResponse(
                try await AuditQuery(context.query).page(directory, context.requireCaller()), headers: [.cacheControl: "no-store"])
        }
    }
}
