import Hummingbird
import PlatformClients
import PlatformModel
import ServiceKit

/// `/users`, and the two pings that the clients of the published protocol know.
struct PrincipalRoutes: Sendable {
    let directory: Directory
    let origins: RequestOrigins

    func register(on router: PlatformRouter) {
        // For anyone: liveness, which tells nothing.
        router.get("/api/v1/ping", access: .anyone) { _, _ in "Pong" }
        for path in ["/api/v1/secured-ping", "/secured-ping"] {
            router.get(path, access: .principal) { _, context in
                _ = try await directory.ask(context.requireCaller())
                return "Secured Pong"
            }
        }
        router.post("/api/v1/users", access: .principal) { request, context in
            let name = try await request.decode(as: CreatePrincipalRequest.self, context: context).name
            try await origins.with(request, context) { try await directory.create(name, by: context.requireCaller()) }
            return JSONResponse(PrincipalResponse(name: name), status: .created)
        }
        router.get("/api/v1/users/{name}", access: .principal) { _, context in
            let name = try context.principal()
            _ = try await directory.requireReadable(name, by: context.requireCaller())
            return JSONResponse(PrincipalResponse(name: name))
        }
        router.delete("/api/v1/users/{name}", access: .principal) { request, context in
            try await origins.with(request, context) { try await directory.delete(context.principal(), by: context.requireCaller()) }
            return Response(status: .noContent)
        }
        router.get("/api/v1/users/{name}/subroles", access: .principal) { _, context in
            try await JSONResponse(
                SubrolesResponse(subroles: directory.subroles(of: context.principal(), caller: context.requireCaller())))
        }
    }
}

extension PlatformContext {
    /// The principal in the path: `alice:roles:x`, or with slashes.
    func principal() throws -> PrincipalName { try PrincipalName(pathForm: parameter("name")) }
}
