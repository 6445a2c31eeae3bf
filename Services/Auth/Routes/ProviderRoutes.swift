import HTTPTypes
import Hummingbird
import ServiceKit

/// The way to another OpenID provider and back.
struct ProviderRoutes: Sendable {
    let desk: SignInDesk

    func register(on router: PlatformRouter) {
        let pages = PageRoutes(router: router, origins: desk.origins)
        pages.get("/auth/providers/{id}") { request, context in
            let provider = try desk.broker.provider(context.parameter("id"))
            let target = try desk.returnTarget(context.query.first("return_to"))
            let (browser, cookie) = desk.cookies.browser(of: request)
            let location = try await desk.broker.begin(provider, browser: browser, returnTo: target)
            return .seeOther(location, cookies: cookie.map { [$0] } ?? [])
        }
        pages.get("/auth/providers/{id}/callback", answer)
    }

    @Sendable private func answer(_ request: Request, _ context: PlatformContext) async throws -> Response {
        let provider = try desk.broker.provider(context.parameter("id"))
        guard let browser = desk.cookies.knownBrowser(of: request) else {
            throw PageError(.badRequest, "Your browser did not send the cookie of this sign-in. Allow cookies and start again.")
        }
        let state = OpaqueToken(context.query.first("state") ?? "")
        if let error = context.query.first("error") {
            try await desk.broker.giveUp(provider, state: state, browser: browser)
            throw PageError(.forbidden, "\(provider.settings.name) did not sign you in (\(error.prefix(100))).")
        }
        guard let code = context.query.first("code"), !code.isEmpty, code.utf8.count <= 4_096 else {
            throw PageError(.badRequest, "The answer of \(provider.settings.name) holds no code.")
        }
        let (session, returnTo) = try await desk.broker.finish(
            provider, code: code, state: state, issuer: context.query.first("iss"), browser: browser)
        return try await desk.enter(session, from: request, to: desk.returnTarget(returnTo))
    }
}
