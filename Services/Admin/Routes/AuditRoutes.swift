import Hummingbird
import ServiceKit

struct AuditRoutes: Sendable {
    let directory: Directory

    func register(on router: PlatformRouter) {
        router.get("\(apiPrefix)/audit", access: .principal) { _, context in
            JSONResponse(
                try await directory.audit(AuditQuery(context.query), as: context.requireCaller()), headers: [.cacheControl: "no-store"])
        }
    }
}
