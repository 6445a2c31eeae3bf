import Hummingbird
import ServiceKit

/// `/service_accounts`
struct ServiceAccountRoutes: Sendable {
    let accounts: ServiceAccounts
    let origins: RequestOrigins
    let crossOrigin: CrossOrigin

    func register(on router: PlatformRouter) {
        let base = "/api/v1/service_accounts"
        crossOrigin.register([base: "GET, POST", base + "/{name}": "GET, DELETE"], on: router)
        router.get(base, access: .principal) { request, context in try await crossOrigin.with(request) { try await list(request, context) }
        }
        router.post(base, access: .principal) { request, context in
            try await crossOrigin.with(request) {
                let wish = try await request.decode(as: ServiceAccounts.Wish.self, context: context)
                let account = try await origins.with(request, context) { try await accounts.create(wish, context.requireCaller()) }
                return try JSONResponse(account, status: .created, headers: [.cacheControl: "no-store"])
                    .response(from: request, context: context)
            }
        }
        router.get(base + "/{name}", access: .principal) { request, context in
            try await crossOrigin.with(request) {
                try JSONResponse(await accounts.find(context.parameter("name"), context.requireCaller()))
                    .response(from: request, context: context)
            }
        }
        router.delete(base + "/{name}", access: .principal) { request, context in
            try await crossOrigin.with(request) {
                try await origins.with(request, context) { try await accounts.delete(context.parameter("name"), context.requireCaller()) }
                return Response(status: .noContent)
            }
        }
    }

    private func list(_ request: Request, _ context: PlatformContext) async throws -> Response {
        let all = try await accounts.list(context.requireCaller())
        guard request.headers[.accept]?.contains("application/x-ndjson") == true else {
            return try JSONResponse(all).response(from: request, context: context)
        }
        let (lines, line) = AsyncStream.makeStream(of: ServiceAccount.self)
        all.forEach { line.yield($0) }
        line.finish()
        return try NDJSONResponse(lines).response(from: request, context: context)
    }
}
