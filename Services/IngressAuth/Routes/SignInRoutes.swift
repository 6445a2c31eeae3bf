import Foundation
import HTTPTypes
import Hummingbird
import PlatformModel
import ServiceKit

/// The pages on the API host, below `/oauth`.
struct SignInRoutes: Sendable {
    let signIn: SignIn
    let signOut: SignOut
    let pages: Pages
    /// Whether browsers may be told to come over https alone.
    let isSecure: Bool

    func register(on router: PlatformRouter) {
        // All of these are for anyone: they are what a visitor uses who is not signed in.
        router.get("/oauth/login", access: .anyone) { request, context in
            try await answer(context) {
                try await signIn.begin(
                    target: context.query.first("rd"), cookies: cookies(request), isLook: request.method == .head, logger: context.logger)
            }
        }
        router.get("/oauth/callback", access: .anyone) { request, context in
            // Looking must not use the code up.
            guard request.method == .get else { throw PlatformError(.methodNotAllowed, "Method Not Allowed", headers: [.allow: "GET"]) }
            return try await answer(context) {
                try await signIn.complete(context.query, cookies: cookies(request), logger: context.logger)
            }
        }
        router.get("/oauth/show-code", access: .anyone) { _, context in
            let query = context.query
            return page(pages.code(query.first("code"), error: query.first("error"), description: query.first("error_description")))
        }
        router.get("/oauth/signed-in", access: .anyone) { _, _ in page(pages.signedIn) }
        router.get("/oauth/logged-out", access: .anyone) { _, _ in page(pages.loggedOut) }
        router.get("/oauth/logout", access: .anyone) { request, _ in page(signOut.confirmation(cookies(request))) }
        router.post("/oauth/logout", access: .anyone, bodyLimit: 4096) { request, context in
            let body = String(buffer: try await request.body.collect(upTo: 4096))
            return try await answer(context) {
                try await signOut.end(proof: (try? QueryItems(body))?.first("proof"), cookies: cookies(request), logger: context.logger)
            }
        }
    }

    private func cookies(_ request: Request) -> CookieHeader { CookieHeader(request.headers[values: .cookie]) }

    private func page(_ page: Page, cookies: [SetCookie] = []) -> Response { finished(page.response, cookies) }

    private func answer(_ context: PlatformContext, _ body: @Sendable () async throws -> SignIn.Answer) async throws -> Response {
        do {
            switch try await body() {
            case .page(let page, let cookies): return self.page(page, cookies: cookies)
            case .redirect(let url, let cookies): return finished(Answers.redirect(url, cookies: []), cookies)
            }
        } catch is CancellationError {
            throw CancellationError()
        } catch is OutgoingCalls.TooMany {
            return page(pages.tooMany)
        } catch {
            context.logger.error("A sign-in failed", metadata: ["error": "\(String(reflecting: error).prefix(500))"])
            return page(pages.unavailable)
        }
    }

    private func finished(_ response: Response, _ cookies: [SetCookie]) -> Response {
        var response = response
        for cookie in cookies { response.headers.append(HTTPField(name: .setCookie, value: cookie.text)) }
        if isSecure { response.headers[.strictTransportSecurity] = "max-age=31536000" }
        return response
    }
}
