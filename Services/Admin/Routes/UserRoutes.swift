import Hummingbird
import PlatformClients
import ServiceKit

struct UserRoutes: Sendable {
    let directory: Directory

    func register(on router: PlatformRouter) {
        router.get("\(apiPrefix)/users", access: .principal) { _, context in
            JSONResponse(try await directory.users(as: context.requireCaller()))
        }
        router.post("\(apiPrefix)/users", access: .principal) { request, context in
            let body = try await request.decode(as: AdminUser.self, context: context)
            return JSONResponse(try await directory.createUser(body, as: context.requireCaller()))
        }
        router.get("\(apiPrefix)/users/{user...}", access: .principal) { _, context in
            let parts = Set(context.query.all("include"))
            return JSONResponse(try await directory.user(context.principal(), including: parts, as: context.requireCaller()))
        }
        router.put("\(apiPrefix)/users/{user...}", access: .principal) { request, context in
            let body = try await request.decode(as: AdminUser.self, context: context)
            return JSONResponse(try await directory.updateUser(context.principal(), body, as: context.requireCaller()))
        }
    }
}
