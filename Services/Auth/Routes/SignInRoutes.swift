import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceKit

/// The pages that people sign in and out with.
struct SignInRoutes: Sendable {
    let desk: SignInDesk

    func register(on router: PlatformRouter) {
        let pages = PageRoutes(router: router, origins: desk.origins)
        pages.get(SignInPaths.signIn, show)
        pages.post(SignInPaths.signIn, enter)
        pages.get(SignInPaths.logout, leave)
        pages.get(SignInPaths.showCode, showCode)
        // For anyone: it is the same for all.
        router.get(SignInPaths.styleSheet, access: .anyone) { _, _ in
            Response(
                status: .ok,
                headers: [
                    .contentType: "text/css; charset=utf-8", .cacheControl: "public, max-age=3600", .xContentTypeOptions: "nosniff",
                ], body: ResponseBody(byteBuffer: ByteBuffer(string: StyleSheet.text)))
        }
    }

    @Sendable private func show(_ request: Request, _ context: PlatformContext) async throws -> Response {
        let target = try desk.returnTarget(context.query.first("return_to"))
        if try context.query.bool("again") != true, try await desk.session(of: request) != nil { return .seeOther(target.path) }
        let (browser, cookie) = desk.cookies.browser(of: request)
        return Page.signIn(
            formToken: SignInForm.token(for: browser), returnTo: target, providers: desk.providerLinks(target)
        ).response(cookies: cookie.map { [$0] } ?? [])
    }

    @Sendable private func enter(_ request: Request, _ context: PlatformContext) async throws -> Response {
        let (form, browser) = try await desk.form(request)
        let target = try desk.returnTarget(form["return_to"])
        func again(_ problem: String, _ status: HTTPResponse.Status, _ headers: HTTPFields = [:]) -> Response {
            Page.signIn(
                formToken: SignInForm.token(for: browser), returnTo: target, login: String(form["login"].prefix(254)),
                providers: desk.providerLinks(target), problem: problem, status: status, headers: headers
            ).response()
        }
        switch try await desk.signIn.signIn(login: form["login"], password: form["password"]) {
        case .signedIn(let session): return try await desk.enter(session, from: request, to: target)
        case .refused: return again("The name or the password is not right.", .forbidden)
        case .wait(let seconds):
            return again(
                "Too many attempts. Wait \(seconds) seconds and try again.", .tooManyRequests, [.retryAfter: String(seconds)])
        }
    }

    /// Ends the session, and what the client that asks was granted in it. Where to go then comes from the clients' lists.
    @Sendable private func leave(_ request: Request, _ context: PlatformContext) async throws -> Response {
        let client = context.query.first("client_id")
        if let token = desk.cookies.session(of: request) { try await desk.signIn.sessions.end(token, client: client) }
        let ended = [desk.cookies.endingSession()]
        guard let target = context.query.first("post_logout_redirect_uri") ?? context.query.first("returnTo"), !target.isEmpty else {
            return Page.message("Signed out", "You are signed out. You may close this window.").response(cookies: ended)
        }
        guard desk.server.clients.mayReturn(to: target, client: client) else {
            return Page.problem("You are signed out. The address to go on to is not registered.", status: .badRequest)
                .response(cookies: ended)
        }
        let state = context.query.first("state").map { [("state", $0)] } ?? []
        return .seeOther(Location.adding(state, to: target), cookies: ended)
    }

    /// The end of a login without a browser on the same machine: shows what to copy, and neither uses nor looks it up.
    @Sendable private func showCode(_ request: Request, _ context: PlatformContext) async throws -> Response {
        if let error = context.query.first("error") {
            let text = context.query.first("error_description") ?? error
            return Page.problem(String(text.prefix(1_000)), status: error == "access_denied" ? .forbidden : .badRequest).response()
        }
        guard let code = context.query.first("code"), PKCE.isChallenge(code) else {
            throw PageError(.badRequest, "There is no code here. Start the login in the terminal again.")
        }
        return Page.code(code).response()
    }
}

/// Addresses with something added to their query.
enum Location {
    static func adding(_ items: [(String, String)], to uri: String) -> String {
        guard !items.isEmpty else { return uri }
        let query = items.map { "\($0.0)=\(ReturnTarget.encode($0.1))" }.joined(separator: "&")
        return uri + (uri.contains("?") ? "&" : "?") + query
    }
}
