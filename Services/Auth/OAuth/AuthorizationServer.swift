import Foundation
import Identity
import PlatformModel
import ServiceKit

/// The OAuth 2 rules: codes for people who signed in, tokens for clients. Knows no HTTP beyond the errors it throws.
struct AuthorizationServer: Sendable {
    let settings: OAuthSettings
    let clients: OAuthClients
    let codes: CodeStore
    let accounts: AccountStore
    let signIn: SignIn
    let throttle: Throttle
    let keys: KeyRing
    let audit: AuditLog

    /// A code for the client, bound to everything it asked with.
    func code(for session: Session, _ request: AuthorizationRequest) async throws -> OpaqueToken {
        let code = OpaqueToken.random()
        let grant = ClientGrant(
            principal: session.principal, client: request.client.id, audience: request.audience,
            scope: request.scopes.joined(separator: " "),
            session: session.hash, signedInAt: session.signedInAt, nonce: request.nonce)
        let isShown = !OAuthClients.loopback.contains(request.redirectURI) && request.client.isPublic
        try await codes.save(code, grant, request, lifetime: isShown ? settings.shownCodeLifetime : settings.codeLifetime)
        try await audit.record(
            AuditEntry(event: .code, actor: session.principal.text, principal: session.principal.text, details: ["client \(grant.client)"]))
        return code
    }

    /// - Throws: ``OAuthError``.
    func token(_ request: TokenRequest) async throws -> TokenAnswer {
        let source = Throttle.Key.tokens(RequestOrigin.current?.source ?? "")
        if let seconds = try await throttle.begin([source]) {
            throw OAuthError(.slowDown, "Too many failed requests; wait \(seconds) s", headers: [.retryAfter: String(seconds)])
        }
        let answer = try await answer(request)
        try await throttle.succeed([source])
        return answer
    }

    private func answer(_ request: TokenRequest) async throws -> TokenAnswer {
        let grant = try request.required("grant_type")
        guard ["authorization_code", "refresh_token", "client_credentials"].contains(grant) else {
            throw OAuthError(.unsupportedGrantType, "grant_type: not supported")
        }
        let client = try await client(request)
        switch grant {
        case "authorization_code": return try await exchange(request, client)
        case "refresh_token": return try await refresh(request, client)
        default: return try await credentials(request, client)
        }
    }

    /// Ends a refresh token (RFC 7009). An unknown one is ended already.
    func revoke(_ request: TokenRequest) async throws {
        let client = try await client(request)
        guard let principal = try await codes.revoke(OpaqueToken(request.required("token")), client: client.id) else { return }
        try await audit.record(
            AuditEntry(event: .tokensRevoked, actor: principal.text, principal: principal.text, details: ["client \(client.id)"]))
    }

    func userInfo(_ principal: PrincipalName) async throws -> UserInfo {
        let account = try await accounts.account(principal)
        return UserInfo(sub: account?.subject ?? principal.text, preferredUsername: principal.text, email: account?.email)
    }

    // MARK: grants

    private func client(_ request: TokenRequest) async throws -> OAuthClient {
        let given = try request.client()
        guard let client = clients[given.id], client.isProven(by: given.secret) else {
            // The name of an unknown client may be a secret in the wrong place.
            try await audit.record(AuditEntry(event: .clientRefused, details: [clients[given.id] == nil ? "unknown client" : given.id]))
            throw OAuthError(.invalidClient, "The client is not known or its secret is wrong", headers: [.wwwAuthenticate: "Basic"])
        }
        return client
    }

    private func exchange(_ request: TokenRequest, _ client: OAuthClient) async throws -> TokenAnswer {
        let redemption = try await codes.redeem(
            OpaqueToken(request.required("code")), client: client.id, redirectURI: request.required("redirect_uri"),
            verifier: request.required("code_verifier"))
        switch redemption {
        case .granted(let grant, let refreshToken):
            var answer = try await answer(grant, event: .token)
            answer.refreshToken = refreshToken?.text
            return answer
        case .unknown: throw OAuthError(.invalidGrant, "The code is not valid")
        case .reused(let principal, let owner):
            try await audit.record(
                AuditEntry(event: .codeReused, principal: principal.text, details: ["client \(owner)", "by \(client.id)"]))
            throw OAuthError(.invalidGrant, "The code was used before")
        case .mismatch(let reason, let principal):
            try await audit.record(
                AuditEntry(event: .clientRefused, principal: principal.text, details: ["client \(client.id)", reason]))
            throw OAuthError(.invalidGrant, reason)
        }
    }

    private func refresh(_ request: TokenRequest, _ client: OAuthClient) async throws -> TokenAnswer {
        guard let grant = try await codes.refresh(OpaqueToken(request.required("refresh_token")), client: client.id) else {
            throw OAuthError(.invalidGrant, "The refresh token is not valid")
        }
        return try await answer(grant, event: .refresh)
    }

    private func credentials(_ request: TokenRequest, _ client: OAuthClient) async throws -> TokenAnswer {
        guard let principal = client.principal else {
            throw OAuthError(.unauthorizedClient, "This client gets no tokens of its own")
        }
        guard request.optional("audience") ?? settings.audience == settings.audience else {
            throw OAuthError(.invalidTarget, "audience: this platform is \(settings.audience)")
        }
        let token = try await accessToken(principal, subject: "client|\(client.id)", audience: settings.audience, scope: nil)
        try await audit.record(
            AuditEntry(event: .clientToken, actor: principal.text, principal: principal.text, details: ["client \(client.id)"]))
        return TokenAnswer(accessToken: token, expiresIn: settings.accessLifetime)
    }

    // MARK: tokens

    private func answer(_ grant: ClientGrant, event: AuditEntry.Event) async throws -> TokenAnswer {
        let account = try await accounts.account(grant.principal)
        let subject = account?.subject ?? grant.principal.text
        let token = try await accessToken(
            grant.principal, subject: subject, audience: grant.audience, scope: grant.scope.isEmpty ? nil : grant.scope)
        var answer = TokenAnswer(accessToken: token, expiresIn: settings.accessLifetime, scope: grant.scope.isEmpty ? nil : grant.scope)
        if grant.scopes.contains("openid") {
            let now = Int(Date().timeIntervalSince1970)
            let email = grant.scopes.contains("email") ? account?.email : nil
            answer.idToken = try await keys.signer.sign(
                payload: IDTokenClaims(
                    iss: settings.issuer, sub: subject, aud: grant.client, iat: now, exp: now + 3_600,
                    authTime: Int(grant.signedInAt.timeIntervalSince1970), nonce: grant.nonce, preferredUsername: grant.principal.text,
                    email: email, emailVerified: email.map { _ in true }))
        }
        try await audit.record(
            AuditEntry(event: event, actor: grant.principal.text, principal: grant.principal.text, details: ["client \(grant.client)"]))
        return answer
    }

    /// - Throws: `invalid_grant` for a principal that is gone or may not sign in any more.
    private func accessToken(_ principal: PrincipalName, subject: String, audience: String, scope: String?) async throws -> String {
        guard let validFrom = try await signIn.validFrom(principal) else {
            throw OAuthError(.invalidGrant, "Whoever this was granted to may not sign in any more")
        }
        let issued = max(Date(), Date(timeIntervalSince1970: validFrom))
        return try await keys.signer.sign(
            TokenClaims(
                name: principal, kind: Directory.kind(of: principal), cluster: principal.servedCluster?.text, issuer: settings.issuer,
                subject: subject, audience: [audience], issuedAt: issued,
                expiresAt: issued.addingTimeInterval(Double(settings.accessLifetime)), id: UUID().uuidString.lowercased(), scope: scope))
    }
}
