import Hummingbird
import ServiceKit

/// Registers pages: what goes wrong there is told on a page as well.
struct PageRoutes {
    let router: PlatformRouter
    let origins: RequestOrigins

    func get(_ path: String, _ handler: @escaping @Sendable (Request, PlatformContext) async throws -> Response) {
        // For anyone: who asks is told by a cookie, which the page reads itself.
        router.get(path, access: .anyone, use: guarded(handler))
    }

    func post(_ path: String, _ handler: @escaping @Sendable (Request, PlatformContext) async throws -> Response) {
        // For anyone: as above; every form is bound to the browser that it was made for.
        router.post(path, access: .anyone, bodyLimit: SignInForm.bodyLimit, use: guarded(handler))
    }

    private func guarded(
        _ handler: @escaping @Sendable (Request, PlatformContext) async throws -> Response
    ) -> @Sendable (Request, PlatformContext) async throws -> Response {
        { [origins] request, context in
            do {
                return try await origins.with(request, context) { try await handler(request, context) }
            } catch let error as PageError {
                return Page.problem(error.message, status: error.status).response()
            } catch let error as PlatformError where error.status != .internalServerError {
                var page = Page.problem(error.message, status: error.status)
                page.headers = error.headers
                return page.response()
            }
        }
    }
}
