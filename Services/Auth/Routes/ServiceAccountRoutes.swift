import Hummingbird
import ServiceKit

/// `/service_accounts`
struct ServiceAccountRoutes: Sendable {
    let accounts: ServiceAccounts
    let origins: RequestOrigins

    func register(on router: PlatformRouter) {
        let base = "/api/v1/service_accounts"
        router.get(base, access: .principal, use: list)
        router.post(base, access: .principal) { request, context in
            let wish = try await request.decode(as: ServiceAccounts.Wish.self, context: context)
            let account = try await origins.with(request, context) { try await accounts.create(wish, context.requireCaller()) }
            return JSONResponse(account, status: .created, headers: [.cacheControl: "no-store"])
        }
        router.get(base + "/{name}", access: .principal) { _, context in
            try await JSONResponse(accounts.find(context.parameter("name"), context.requireCaller()))
        }
        router.delete(base + "/{name}", access: .principal) { request, context in
            try await origins.with(request, context) { try await accounts.delete(context.parameter("name"), context.requireCaller()) }
            return Response(status: .noContent)
        }
    }

    @Sendable private func list(_ request: Request, _ context: PlatformContext) async throws -> Response {
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
