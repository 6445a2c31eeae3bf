import Foundation
import Logging
import PlatformModel
import Postgres
import ServiceKit

/// Signs people in through other OpenID providers. What is sent there and what must come back follows from a random state and the
/// browser's own cookie, so an answer is worth nothing in another browser.
struct Broker: Sendable {
    /// How long somebody may take at the provider, in seconds.
    private static let patience = 600

    let providers: [Provider]
    let accounts: AccountStore
    let signIn: SignIn
    let directory: Directory
    let settings: OAuthSettings
    let logger: Logger

    func provider(_ id: String) throws -> Provider {
        guard let provider = providers.first(where: { $0.settings.id == id }) else {
            throw PageError(.notFound, "There is no such way to sign in.")
        }
        return provider
    }

    /// Where to send the browser.
    func begin(_ provider: Provider, browser: OpaqueToken, returnTo: ReturnTarget) async throws -> String {
        let endpoints = try await believing(provider) { try await provider.endpoints() }
        let state = OpaqueToken.random()
        try await accounts.pool.execute(
            """
            INSERT INTO brokered_sign_ins (state, provider, return_to, expires_at)
            VALUES (\(Self.key(state, browser)), \(provider.settings.id), \(returnTo.path), now() + make_interval(secs => \(Self.patience)))
            """)
        return Location.adding(
            [
                ("response_type", "code"), ("client_id", provider.settings.clientID), ("redirect_uri", redirectURI(provider)),
                ("scope", provider.settings.scopes.joined(separator: " ")), ("state", state.text), ("nonce", Self.nonce(state, browser)),
                ("code_challenge", PKCE.challenge(of: Self.verifier(state, browser))), ("code_challenge_method", "S256"),
            ], to: endpoints.authorizationEndpoint)
    }

    /// Takes the provider's answer: a session for whoever it names, and where to go on.
    func finish(
        _ provider: Provider, code: String, state: OpaqueToken, issuer: String?, browser: OpaqueToken
    ) async throws -> (session: OpaqueToken, returnTo: String) {
        let returnTo = try await expected(provider, state, browser)
        if let issuer, issuer != provider.settings.issuer {
            throw PageError(.badRequest, "The answer is not from \(provider.settings.name).")
        }
        let claims = try await believing(provider) {
            try await provider.redeem(
                code, redirectURI: redirectURI(provider), verifier: Self.verifier(state, browser), nonce: Self.nonce(state, browser))
        }
        let account = try await account(for: claims, provider.settings)
        guard try await signIn.validFrom(account.principal) != nil else {
            try await refused(provider, account.principal, "may not sign in")
            throw PageError(.forbidden, "This account may not sign in.")
        }
        return (try await signIn.sessions.create(for: account.principal, provider: provider.settings.name), returnTo)
    }

    /// Forgets that somebody was expected: the provider said why nobody comes.
    func giveUp(_ provider: Provider, state: OpaqueToken, browser: OpaqueToken) async throws {
        _ = try await expected(provider, state, browser)
    }

    // MARK: who it is

    private func account(for claims: ProviderClaims, _ provider: ProviderSettings) async throws -> Account {
        let subject = claims.text("sub") ?? ""
        let verified = provider.trustsEmail || claims.flag(provider.claims.emailVerified)
        let email = claims.text(provider.claims.email).flatMap(Account.email)
        let domain = email?.split(separator: "@").last.map(String.init)
        guard provider.domains.isEmpty || (verified && domain.map(provider.domains.contains) == true) else {
            try await refused(provider.name, nil, "domain")
            throw PageError(.forbidden, "Only people of \(provider.domains.joined(separator: ", ")) may sign in here.")
        }
        if let known = try await accounts.account(issuer: provider.issuer, subject: subject) { return known }
        guard let email, verified else {
            try await refused(provider.name, nil, "no verified e-mail")
            throw PageError(
                .forbidden, "\(provider.name) does not vouch for an e-mail address of yours, so no account here can be found by it.")
        }
        if let found = try await accounts.account(email: email) {
            return try await link(found, subject, provider)
        }
        guard provider.signUp else {
            try await refused(provider.name, nil, "no account")
            throw PageError(.forbidden, "Nobody here has the address \(email). Ask an administrator for an account.")
        }
        return try await link(try await signUp(email, claims.text(provider.claims.name), provider), subject, provider)
    }

    private func link(_ account: Account, _ subject: String, _ provider: ProviderSettings) async throws -> Account {
        let entry = AuditEntry(
            event: .identityLinked, actor: account.principal.text, principal: account.principal.text, details: [provider.issuer, subject])
        guard
            try await accounts.link(issuer: provider.issuer, subject: subject, to: account.principal, noting: entry)
        else {
            // Another tab may have linked the same moment.
            if let known = try await accounts.account(issuer: provider.issuer, subject: subject) { return known }
            try await refused(provider.name, account.principal, "linked to somebody else there")
            throw PageError(.forbidden, "The account with this address belongs to somebody else at \(provider.name). Ask an administrator.")
        }
        directory.audit.tell(entry)
        return account
    }

    /// Makes a principal and an account; memberships are an administrator's to give.
    private func signUp(_ email: String, _ name: String?, _ provider: ProviderSettings) async throws -> Account {
        for candidate in AccountNames.candidates(name: name, email: email) {
            let made = try await accounts.pool.transaction { connection in
                guard try await directory.principals.create(candidate, on: connection) else { return false }
                try await AccountStore.keep(candidate, email: email, on: connection)
                try await AuditLog.record(
                    AuditEntry(event: .create, actor: candidate.text, principal: candidate.text, details: [provider.issuer]),
                    on: connection)
                return true
            }
            guard made else { continue }
            try await directory.publish([candidate.text])
            if let account = try await accounts.account(candidate) { return account }
        }
        throw PageError(.conflict, "No free user name could be made of yours. Ask an administrator for an account.")
    }

    // MARK: state

    /// Single use, within its time, for this provider and this browser alone.
    private func expected(_ provider: Provider, _ state: OpaqueToken, _ browser: OpaqueToken) async throws -> String {
        let rows = try await accounts.pool.query(
            """
            DELETE FROM brokered_sign_ins WHERE state = \(Self.key(state, browser)) AND provider = \(provider.settings.id)
            RETURNING return_to, expires_at > now() AS in_time
            """)
        guard let row = rows.first, try row.get("in_time") else {
            throw PageError(
                .badRequest, "This answer was not expected: it took too long, was used before, or is another browser's. Start again.")
        }
        return try row.get("return_to")
    }

    private static func key(_ state: OpaqueToken, _ browser: OpaqueToken) -> String { bound(state, browser).derived(for: "state") }
    private static func nonce(_ state: OpaqueToken, _ browser: OpaqueToken) -> String { bound(state, browser).derived(for: "nonce") }
    private static func verifier(_ state: OpaqueToken, _ browser: OpaqueToken) -> String { bound(state, browser).derived(for: "verifier") }
    private static func bound(_ state: OpaqueToken, _ browser: OpaqueToken) -> OpaqueToken { OpaqueToken(state.text + "\n" + browser.text) }

    private func redirectURI(_ provider: Provider) -> String { settings.issuer + SignInPaths.callback(provider.settings.id) }

    private func refused(_ provider: Provider, _ principal: PrincipalName?, _ reason: String) async throws {
        try await refused(provider.settings.name, principal, reason)
    }

    private func refused(_ provider: String, _ principal: PrincipalName?, _ reason: String) async throws {
        try await directory.audit.record(AuditEntry(event: .signInRefused, principal: principal?.text, details: [provider, reason]))
    }

    /// What a provider does wrong is the operator's to know; people are told that it is not their fault.
    private func believing<T>(_ provider: Provider, _ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let error as BrokeringError {
            logger.error("A provider cannot be believed", metadata: ["provider": "\(provider.settings.issuer)", "reason": "\(error)"])
            try await refused(provider, nil, error.description)
            throw PageError(
                .badGateway, "\(provider.settings.name) did not give an answer that can be trusted. Try again, or tell an administrator.")
        }
    }
}
