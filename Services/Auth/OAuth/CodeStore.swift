import Foundation
import PlatformModel
import Postgres

/// What a client was granted: by whom, for what.
struct ClientGrant: Sendable {
    let id: UUID
    let principal: PrincipalName
    let client: String
    let audience: String
    let scope: String
    let session: String
    let signedInAt: Date
    var nonce: String?

    init(
        principal: PrincipalName, client: String, audience: String, scope: String, session: String, signedInAt: Date, nonce: String?
    ) {
        id = UUID()
        self.principal = principal
        self.client = client
        self.audience = audience
        self.scope = scope
        self.session = session
        self.signedInAt = signedInAt
        self.nonce = nonce
    }

    fileprivate init(_ row: PostgresRow) throws {
        id = try row.get("grant_id")
        principal = PrincipalName(checked: try row.get("principal"))
        client = try row.get("client")
        audience = try row.get("audience")
        scope = try row.get("scope")
        session = try row.get("session")
        signedInAt = try row.get("signed_in_at")
        nonce = row.columns.contains("nonce") ? try row.get("nonce") : nil
    }

    var scopes: Set<Substring> { Set(scope.split(separator: " ")) }
}

/// Authorization codes and refresh tokens in Postgres, hashed.
struct CodeStore: Sendable {
    enum Redemption: Sendable {
        case granted(ClientGrant, refreshToken: OpaqueToken?)
        case unknown
        /// It was used before: whatever came of it is gone now.
        case reused(PrincipalName, client: String)
        /// Another client, address or verifier; the code is burnt.
        case mismatch(String, PrincipalName)
    }

    let pool: PostgresPool
    let refreshIdleLifetime: Int

    func save(_ code: OpaqueToken, _ grant: ClientGrant, _ request: AuthorizationRequest, lifetime: Int) async throws {
        try await pool.execute(
            """
            INSERT INTO authorization_codes (hash, grant_id, principal, session, client, redirect_uri, challenge, audience, scope, nonce,
                signed_in_at, expires_at)
            VALUES (\(code.hash), \(grant.id), \(grant.principal.text), \(grant.session), \(grant.client), \(request.redirectURI),
                \(request.challenge), \(grant.audience), \(grant.scope), \(grant.nonce), \(grant.signedInAt),
                now() + make_interval(secs => \(lifetime)))
            """)
    }

    /// Uses up a code. A second use takes back what the first gave: one of the two was a thief's.
    func redeem(_ code: OpaqueToken, client: String, redirectURI: String, verifier: String) async throws -> Redemption {
        try await pool.transaction { connection in
            let rows = try await connection.query(
                "SELECT *, expires_at <= now() AS expired FROM authorization_codes WHERE hash = \(code.hash) FOR UPDATE")
            guard let row = rows.first else { return .unknown }
            let grant = try ClientGrant(row)
            if try row.get("used_at", as: Date?.self) != nil {
                try await connection.execute("DELETE FROM refresh_tokens WHERE grant_id = \(grant.id)")
                return .reused(grant.principal, client: grant.client)
            }
            try await connection.execute("UPDATE authorization_codes SET used_at = now() WHERE hash = \(code.hash)")
            if try row.get("expired") { return .mismatch("The code has expired", grant.principal) }
            guard grant.client == client else { return .mismatch("The code is another client's", grant.principal) }
            guard try row.get("redirect_uri", as: String.self) == redirectURI else {
                return .mismatch("redirect_uri: not the one of the authorization request", grant.principal)
            }
            guard PKCE.isVerifier(verifier), OpaqueToken.equal(PKCE.challenge(of: verifier), try row.get("challenge")) else {
                return .mismatch("code_verifier: does not match the challenge", grant.principal)
            }
            guard grant.scopes.contains("offline_access") else { return .granted(grant, refreshToken: nil) }
            let token = OpaqueToken.random()
            try await connection.execute(
                """
                INSERT INTO refresh_tokens (hash, grant_id, principal, session, client, audience, scope, signed_in_at)
                VALUES (\(token.hash), \(grant.id), \(grant.principal.text), \(grant.session), \(grant.client), \(grant.audience),
                    \(grant.scope), \(grant.signedInAt))
                """)
            return .granted(grant, refreshToken: token)
        }
    }

    /// What a refresh token stands for. It stays valid: clients of the published protocol know but one.
    func refresh(_ token: OpaqueToken, client: String) async throws -> ClientGrant? {
        let rows = try await pool.query(
            """
            SELECT * FROM refresh_tokens WHERE hash = \(token.hash) AND client = \(client)
                AND last_used_at > now() - make_interval(secs => \(refreshIdleLifetime))
            """)
        guard let row = rows.first else { return nil }
        // The moment matters by the day; two clients that refresh at once must not wait for one another.
        try await pool.execute(
            "UPDATE refresh_tokens SET last_used_at = now() WHERE hash = \(token.hash) AND last_used_at < now() - interval '1 hour'")
        return try ClientGrant(row)
    }

    /// Ends a refresh token; whose it was.
    func revoke(_ token: OpaqueToken, client: String) async throws -> PrincipalName? {
        try await pool.query("DELETE FROM refresh_tokens WHERE hash = \(token.hash) AND client = \(client) RETURNING principal").first
            .map { PrincipalName(checked: try $0.get("principal")) }
    }
}
