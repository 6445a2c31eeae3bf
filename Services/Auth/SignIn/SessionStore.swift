import Foundation
import PlatformModel
import Postgres

/// A browser that somebody signed in with.
struct Session: Sendable {
    let hash: String
    let principal: PrincipalName
    /// Nil: the local password.
    let provider: String?
    let signedInAt: Date
}

/// Sessions in Postgres, by the hash of what the browser's cookie holds.
struct SessionStore: Sendable {
    let pool: PostgresPool
    let lifetime: Int

    func create(for principal: PrincipalName, provider: String?) async throws -> OpaqueToken {
        let token = OpaqueToken.random()
        try await pool.transaction { connection in
            try await connection.execute(
                """
                INSERT INTO sessions (hash, principal, provider, source, expires_at)
                VALUES (\(token.hash), \(principal.text), \(provider), \(RequestOrigin.current?.source), now() + make_interval(secs => \(lifetime)))
                """)
            try await connection.execute("UPDATE accounts SET last_sign_in_at = now() WHERE principal = \(principal.text)")
            try await AuditLog.record(
                AuditEntry(
                    event: .signIn, actor: principal.text, principal: principal.text, details: [provider ?? "password"]), on: connection)
        }
        return token
    }

    func session(_ token: OpaqueToken) async throws -> Session? {
        let rows = try await pool.query(
            "SELECT principal, provider, signed_in_at FROM sessions WHERE hash = \(token.hash) AND expires_at > now()")
        return try rows.first.map {
            Session(
                hash: token.hash, principal: PrincipalName(checked: try $0.get("principal")), provider: try $0.get("provider"),
                signedInAt: try $0.get("signed_in_at"))
        }
    }

    /// Ends a session that another one replaces; what clients were granted in it stays.
    func replace(_ token: OpaqueToken) async throws {
        try await pool.execute("DELETE FROM sessions WHERE hash = \(token.hash)")
    }

    /// Ends a session and what came of it: codes, and the refresh tokens of one client or of all.
    func end(_ token: OpaqueToken, client: String?) async throws {
        try await pool.transaction { connection in
            let ended = try await connection.query("DELETE FROM sessions WHERE hash = \(token.hash) RETURNING principal")
            try await connection.execute("DELETE FROM authorization_codes WHERE session = \(token.hash)")
            try await connection.execute(
                """
                DELETE FROM refresh_tokens WHERE session = \(token.hash) AND (\(client)::text IS NULL OR client = \(client))
                """)
            guard let principal = try ended.first?.get("principal", as: String.self) else { return }
            try await AuditLog.record(
                AuditEntry(event: .signOut, actor: principal, principal: principal, details: client.map { ["client \($0)"] } ?? []),
                on: connection)
        }
    }

    func endAll(of principal: PrincipalName) async throws {
        try await pool.transaction { try await Self.endAll(of: principal, on: $0) }
    }

    /// Every session, code and refresh token of a principal.
    static func endAll(of principal: PrincipalName, on connection: PostgresConnection) async throws {
        try await connection.execute("DELETE FROM sessions WHERE principal = \(principal.text)")
        try await connection.execute("DELETE FROM authorization_codes WHERE principal = \(principal.text)")
        try await connection.execute("DELETE FROM refresh_tokens WHERE principal = \(principal.text)")
    }
}
