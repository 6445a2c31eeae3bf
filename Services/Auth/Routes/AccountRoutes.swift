import Foundation
import HTTPTypes
import Hummingbird
import PlatformClients
import PlatformModel
import ServiceKit

/// The account's own pages, the invitation's, and what administrators do with accounts.
struct AccountRoutes: Sendable {
    let desk: SignInDesk

    func register(on router: PlatformRouter) {
        let pages = PageRoutes(router: router, origins: desk.origins)
        pages.get(SignInPaths.account) { request, context in
            guard let session = try await desk.session(of: request) else {
                return .seeOther(ReturnTarget.account.link(from: SignInPaths.signIn))
            }
            let account = try await desk.accounts.store.account(session.principal)
            let (browser, cookie) = desk.cookies.browser(of: request)
            return Page.account(
                name: session.principal.text, email: account?.email, provider: session.provider, hasPassword: account?.password != nil,
                formToken: SignInForm.token(for: browser), changed: context.query.first("changed") != nil
            ).response(cookies: cookie.map { [$0] } ?? [])
        }
        pages.get(SignInPaths.password) { request, _ in
            guard let session = try await desk.session(of: request) else {
                return .seeOther(ReturnTarget.account.link(from: SignInPaths.signIn))
            }
            let (browser, cookie) = desk.cookies.browser(of: request)
            return Page.changePassword(name: session.principal.text, formToken: SignInForm.token(for: browser))
                .response(cookies: cookie.map { [$0] } ?? [])
        }
        pages.post(SignInPaths.password, changePassword)
        pages.post(SignInPaths.everywhere) { request, _ in
            _ = try await desk.form(request)
            if let session = try await desk.session(of: request) {
                try await desk.signIn.sessions.endAll(of: session.principal)
                try await desk.accounts.audit.record(
                    AuditEntry(event: .tokensRevoked, actor: session.principal.text, principal: session.principal.text))
            }
            return .seeOther(SignInPaths.logout, cookies: [desk.cookies.endingSession()])
        }
        pages.get(SignInPaths.invitation, showInvitation)
        pages.post(SignInPaths.invitation, acceptInvitation)
        registerAdministration(on: router)
    }

    private func registerAdministration(on router: PlatformRouter) {
        let base = "/api/v1/users/{name}"
        router.post(base + "/invitation", access: .principal) { request, context in
            let wish = try await request.decodeIfPresent(InvitationRequest.self, context) ?? InvitationRequest()
            let invitation = try await desk.origins.with(request, context) {
                try await desk.accounts.invite(
                    context.principal(), email: wish.email, lifetime: wish.expiresIn ?? desk.settings.invitationLifetime,
                    by: context.requireCaller())
            }
            return JSONResponse(invitation, status: .created, headers: [.cacheControl: "no-store"])
        }
        router.delete(base + "/invitation", access: .principal) { request, context in
            try await desk.origins.with(request, context) {
                try await desk.accounts.withdrawInvitations(context.principal(), by: context.requireCaller())
            }
            return Response(status: .noContent)
        }
        router.get(base + "/account", access: .principal) { _, context in
            JSONResponse(try await desk.accounts.summary(context.principal(), by: context.requireCaller()))
        }
        router.put(base + "/account", access: .principal) { request, context in
            let change = try await request.decode(as: AccountChange.self, context: context)
            try await desk.origins.with(request, context) {
                try await desk.accounts.setEmail(change.email, of: context.principal(), by: context.requireCaller())
            }
            return Response(status: .noContent)
        }
        router.delete(base + "/sessions", access: .principal) { request, context in
            try await desk.origins.with(request, context) {
                try await desk.accounts.signOutEverywhere(context.principal(), by: context.requireCaller())
            }
            return Response(status: .noContent)
        }
    }

    @Sendable private func changePassword(_ request: Request, _ context: PlatformContext) async throws -> Response {
        let (form, browser) = try await desk.form(request)
        guard let session = try await desk.session(of: request) else {
            return .seeOther(ReturnTarget.account.link(from: SignInPaths.signIn))
        }
        func again(_ problem: String, _ status: HTTPResponse.Status) -> Response {
            Page.changePassword(
                name: session.principal.text, formToken: SignInForm.token(for: browser), problem: problem, status: status
            ).response()
        }
        let account = try await desk.accounts.store.account(session.principal)
        if let problem = PasswordRules.refusal(
            of: form["password"], repeated: form["repeated"], account: session.principal.text, email: account?.email)
        {
            return again(problem, .badRequest)
        }
        switch try await desk.signIn.changePassword(of: session.principal, from: form["current"], to: form["password"]) {
        case .signedIn(let token): return .seeOther(SignInPaths.account + "?changed", cookies: [desk.cookies.settingSession(token)])
        case .refused: return again("The present password is not right.", .forbidden)
        case .wait(let seconds): return again("Too many attempts. Wait \(seconds) seconds and try again.", .tooManyRequests)
        }
    }

    @Sendable private func showInvitation(_ request: Request, _ context: PlatformContext) async throws -> Response {
        let token = OpaqueToken(context.query.first("token") ?? "")
        guard let invited = try await desk.accounts.invited(by: token) else { throw Self.gone }
        let (browser, cookie) = desk.cookies.browser(of: request)
        return Page.invitation(name: invited.principal.text, token: token.text, formToken: SignInForm.token(for: browser))
            .response(cookies: cookie.map { [$0] } ?? [])
    }

    @Sendable private func acceptInvitation(_ request: Request, _ context: PlatformContext) async throws -> Response {
        let (form, browser) = try await desk.form(request)
        let token = OpaqueToken(form["token"])
        guard let invited = try await desk.accounts.invited(by: token) else { throw Self.gone }
        if let problem = PasswordRules.refusal(
            of: form["password"], repeated: form["repeated"], account: invited.principal.text, email: invited.email)
        {
            return Page.invitation(
                name: invited.principal.text, token: token.text, formToken: SignInForm.token(for: browser), problem: problem,
                status: .badRequest
            ).response()
        }
        guard let principal = try await desk.accounts.accept(token, password: form["password"]) else { throw Self.gone }
        let session = try await desk.signIn.sessions.create(for: principal, provider: nil)
        return try await desk.enter(session, from: request, to: .account)
    }

    private static let gone = PageError(
        .gone, "This invitation is not valid: it was used, has expired or was withdrawn. Ask an administrator for another.")
}

extension Request {
    /// The body, which may be left out.
    func decodeIfPresent<T: Decodable>(_ type: T.Type, _ context: PlatformContext) async throws -> T? {
        var request = self
        let body = try await request.collectBody(upTo: context.maxUploadSize)
        return body.readableBytes > 0 ? try await request.decode(as: type, context: context) : nil
    }
}
