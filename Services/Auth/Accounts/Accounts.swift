import Foundation
import PlatformClients
import PlatformModel
import Postgres
import ServiceKit

/// What administrators do with accounts, and what invited people do once.
struct Accounts: Sendable {
    static let longestInvitation = 14 * 86_400

    let directory: Directory
    let store: AccountStore
    let sessions: SessionStore
    let hasher: PasswordHasher
    let throttle: Throttle
    let audit: AuditLog
    let settings: OAuthSettings

    private var pool: PostgresPool { store.pool }

    /// Invites a principal to choose a password: makes its account, and a link that works once.
    func invite(_ principal: PrincipalName, email: String?, lifetime: Int, by caller: Caller) async throws -> InvitationResponse {
        try await requireManaged(principal, by: caller)
        guard (60...Self.longestInvitation).contains(lifetime) else {
            throw PlatformError.badRequest("expires_in: expected 60 to \(Self.longestInvitation) seconds")
        }
        let email = try email.map(Self.checked)
        let token = OpaqueToken.random()
        let entry = AuditEntry(event: .invite, actor: caller.name, principal: principal.text)
        let expiresAt = try await keepingAddress {
            try await pool.transaction { connection in
                try await AccountStore.keep(principal, email: email, on: connection)
                let rows = try await connection.query(
                    """
                    INSERT INTO invitations (hash, principal, email, invited_by, expires_at)
                    VALUES (\(token.hash), \(principal.text), \(email), \(caller.name), now() + make_interval(secs => \(lifetime)))
                    RETURNING expires_at
                    """)
                try await AuditLog.record(entry, on: connection)
                return try rows.first?.get("expires_at", as: Date.self)
            }
        }
        audit.tell(entry)
        return InvitationResponse(
            name: principal, url: "\(settings.issuer)\(SignInPaths.invitation)?token=\(token.text)", expiresAt: expiresAt ?? Date())
    }

    /// Makes every open invitation of a principal worthless.
    func withdrawInvitations(_ principal: PrincipalName, by caller: Caller) async throws {
        try await requireManaged(principal, by: caller)
        try await pool.execute("DELETE FROM invitations WHERE principal = \(principal.text)")
        try await audit.record(AuditEntry(event: .invitationsWithdrawn, actor: caller.name, principal: principal.text))
    }

    func summary(_ principal: PrincipalName, by caller: Caller) async throws -> AccountResponse {
        _ = try await directory.requireReadable(principal, by: caller)
        let rows = try await pool.query(
            """
            SELECT principal, email, password IS NOT NULL AS has_password, last_sign_in_at,
                ARRAY(SELECT issuer FROM identities i WHERE i.principal = a.principal ORDER BY issuer) AS identities
            FROM accounts a WHERE principal = \(principal.text)
            """)
        guard let row = rows.first else { throw PlatformError.notFound("\(principal) has no account to sign in with") }
        return AccountResponse(
            name: principal, email: try row.get("email"), hasPassword: try row.get("has_password"),
            lastSignInAt: try row.get("last_sign_in_at"), identities: try row.get("identities"))
    }

    /// Sets the address by which a provider's verified address finds the account.
    func setEmail(_ email: String, of principal: PrincipalName, by caller: Caller) async throws {
        try await requireManaged(principal, by: caller)
        let email = try Self.checked(email)
        let entry = AuditEntry(event: .accountChanged, actor: caller.name, principal: principal.text, details: ["email \(email)"])
        try await keepingAddress {
            try await pool.transaction { connection in
                try await AccountStore.keep(principal, email: email, on: connection)
                try await AuditLog.record(entry, on: connection)
            }
        }
        audit.tell(entry)
    }

    /// Ends every session and refresh token of a principal.
    func signOutEverywhere(_ principal: PrincipalName, by caller: Caller) async throws {
        try await requireManaged(principal, by: caller)
        try await sessions.endAll(of: principal)
        try await audit.record(AuditEntry(event: .tokensRevoked, actor: caller.name, principal: principal.text))
    }

    // MARK: what invited people do

    /// Whom an open invitation is for.
    func invited(by token: OpaqueToken) async throws -> (principal: PrincipalName, email: String?)? {
        let rows = try await pool.query(
            """
            SELECT i.principal, coalesce(i.email, a.email) AS email FROM invitations i LEFT JOIN accounts a ON a.principal = i.principal
            WHERE i.hash = \(token.hash) AND i.expires_at > now()
            """)
        return try rows.first.map { (PrincipalName(checked: try $0.get("principal")), try $0.get("email")) }
    }

    /// Takes up an invitation; whatever signed the account in before does so no more. Nil when the invitation is gone.
    func accept(_ token: OpaqueToken, password: String) async throws -> PrincipalName? {
        let record = try await hasher.hash(password)
        return try await pool.transaction { connection -> PrincipalName? in
            let rows = try await connection.query(
                "DELETE FROM invitations WHERE hash = \(token.hash) AND expires_at > now() RETURNING principal")
            guard let row = rows.first else { return nil }
            let principal = PrincipalName(checked: try row.get("principal"))
            try await connection.execute("DELETE FROM invitations WHERE principal = \(principal.text)")
            try await AccountStore.keep(principal, email: nil, on: connection)
            try await AccountStore.setPassword(record, of: principal, on: connection)
            try await SessionStore.endAll(of: principal, on: connection)
            try await AuditLog.record(
                AuditEntry(event: .invitationAccepted, actor: principal.text, principal: principal.text), on: connection)
            return principal
        }
    }

    /// `manage` on the principal, which is a person's.
    private func requireManaged(_ principal: PrincipalName, by caller: Caller) async throws {
        let (actions, verdicts) = try await directory.ask(
            caller, on: [principal.userURI, ResourceURI(.user)], about: [Question(principal: principal)])
        // As for tokens: whoever got hold of a job's token must not make a lasting way in of it.
        guard actions[0] == .manage, caller.tokenURI == nil else { throw PlatformError.forbidden() }
        guard verdicts[0].exists else { throw Directory.notFound(principal) }
        guard !principal.isSubrole, principal.text == "admin" || !BuiltInPrincipals.all.contains(where: { $0.name == principal }) else {
            throw PlatformError.badRequest("\(principal) is not a person's name: nobody signs in as it")
        }
        if actions[1] < .manage { try await directory.requireNoMoreRights(principal, than: caller) }
    }

    private static func checked(_ email: String) throws -> String {
        guard let email = Account.email(email) else { throw PlatformError.badRequest("email: expected an e-mail address") }
        return email
    }

    private func keepingAddress<T: Sendable>(_ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let error as PostgresError where error.isUniqueViolation() {
            throw PlatformError.conflict("email: another account has this address")
        }
    }
}
