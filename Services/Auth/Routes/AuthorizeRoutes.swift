import Foundation
import HTTPTypes
import Hummingbird
import ServiceKit

/// The OAuth 2 and OpenID Connect endpoints.
struct AuthorizeRoutes: Sendable {
    let desk: SignInDesk
    let directory: Directory

    private var server: AuthorizationServer { desk.server }

    func register(on router: PlatformRouter) {
        PageRoutes(router: router, origins: desk.origins).get(SignInPaths.authorize, authorize)
        // For anyone: how to sign in is what strangers must know.
        for path in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
            router.get(path, access: .anyone) { [settings = desk.settings] _, _ in
                JSONResponse(DiscoveryDocument(settings), headers: [.cacheControl: "public, max-age=300"])
            }
        }
        // For anyone: clients prove themselves by code, verifier and secret; the body says so.
        router.post(SignInPaths.token, access: .anyone, bodyLimit: TokenRequest.bodyLimit) { request, context in
            try await answering(request, context) {
                JSONResponse(try await server.token(TokenRequest(request, context)), headers: Self.uncached)
            }
        }
        // For anyone: as above.
        router.post(SignInPaths.revoke, access: .anyone, bodyLimit: TokenRequest.bodyLimit) { request, context in
            try await answering(request, context) {
                try await server.revoke(TokenRequest(request, context))
                return JSONResponse([String: String](), headers: Self.uncached)
            }
        }
        for method in [HTTPRequest.Method.get, .post] {
            router.on(method, SignInPaths.userInfo, access: .principal) { _, context in
                let caller = try context.requireCaller()
                _ = try await directory.ask(caller)
                return JSONResponse(try await server.userInfo(.init(checked: caller.name)), headers: Self.uncached)
            }
        }
    }

    private static let uncached: HTTPFields = [.cacheControl: "no-store"]

    private struct Refusal: Encodable {
        let error: String
        let description: String

        enum CodingKeys: String, CodingKey {
            case error
            case description = "error_description"
        }
    }

    private func answering<T: Encodable>(
        _ request: Request, _ context: PlatformContext, _ body: () async throws -> JSONResponse<T>
    ) async throws -> Response {
        do {
            return try await desk.origins.with(request, context, body).response(from: request, context: context)
        } catch let error as OAuthError {
            var headers = Self.uncached
            for field in error.headers { headers[field.name] = field.value }
            return try JSONResponse(
                Refusal(error: error.code.rawValue, description: error.description), status: error.status, headers: headers
            ).response(from: request, context: context)
        }
    }

    /// Hands out a code to whoever has signed in with this browser; sends all others to sign in first.
    @Sendable private func authorize(_ request: Request, _ context: PlatformContext) async throws -> Response {
        let wish: AuthorizationRequest
        do {
            wish = try AuthorizationRequest(context.query, clients: server.clients, audience: desk.settings.audience)
        } catch AuthorizationRequest.Refusal.page(let message) {
            throw PageError(.badRequest, message)
        } catch AuthorizationRequest.Refusal.client(let error, let redirectURI, let state) {
            return Self.refusal(error, redirectURI, state)
        }
        guard let session = try await desk.session(of: request), wish.accepts(session, now: Date()) else {
            if wish.isSilent {
                return Self.refusal(OAuthError(.loginRequired, "Nobody has signed in with this browser"), wish.redirectURI, wish.state)
            }
            return .seeOther(ReturnTarget(context.query).link(from: SignInPaths.signIn, "&again=true"))
        }
        let code = try await server.code(for: session, wish)
        return .seeOther(Location.adding([("code", code.text)] + (wish.state.map { [("state", $0)] } ?? []), to: wish.redirectURI))
    }

    private static func refusal(_ error: OAuthError, _ redirectURI: String, _ state: String?) -> Response {
        let items = [("error", error.code.rawValue), ("error_description", error.description)] + (state.map { [("state", $0)] } ?? [])
        return .seeOther(Location.adding(items, to: redirectURI))
    }
}
