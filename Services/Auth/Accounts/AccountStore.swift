import Foundation
import PlatformModel
import Postgres

/// Accounts, the invitations to them, and who they are elsewhere.
struct AccountStore: Sendable {
    let pool: PostgresPool

    private static let columns: PostgresQuery = "principal, subject, email, password"

    func account(_ principal: PrincipalName) async throws -> Account? {
        try await Account(first: pool.query("SELECT \(Self.columns) FROM accounts WHERE principal = \(principal.text)"))
    }

    /// By name or by e-mail address, as people type it.
    func account(login: String) async throws -> Account? {
        let login = login.trimmingCharacters(in: .whitespaces).lowercased()
        guard !login.unicodeScalars.contains("\0") else { return nil }
        return try await Account(
            first: pool.query(
                """
                SELECT \(Self.columns) FROM accounts WHERE principal = \(login) OR email = \(login)
                ORDER BY principal = \(login) DESC LIMIT 1
                """))
    }

    func account(issuer: String, subject: String) async throws -> Account? {
        try await Account(
            first: pool.query(
                """
                SELECT a.principal, a.subject, a.email, a.password FROM identities i JOIN accounts a ON a.principal = i.principal
                WHERE i.issuer = \(issuer) AND i.subject = \(subject)
                """))
    }

    func account(email: String) async throws -> Account? {
        try await Account(first: pool.query("SELECT \(Self.columns) FROM accounts WHERE email = \(email)"))
    }

    /// Makes the account or changes its address.
    /// - Throws: a unique violation when somebody else has the address.
    static func keep(_ principal: PrincipalName, email: String?, on connection: PostgresConnection) async throws {
        try await connection.execute(
            """
            INSERT INTO accounts (principal, email) VALUES (\(principal.text), \(email))
            ON CONFLICT (principal) DO UPDATE SET email = coalesce(excluded.email, accounts.email)
            """)
    }

    static func setPassword(_ record: PasswordRecord, of principal: PrincipalName, on connection: PostgresConnection) async throws {
        try await connection.execute(
            "UPDATE accounts SET password = \(record.text), password_changed_at = now() WHERE principal = \(principal.text)")
    }

    /// Replaces the record of a password that did not change: its parameters did.
    func refresh(_ record: PasswordRecord, replacing old: PasswordRecord, of principal: PrincipalName) async throws {
        try await pool.execute(
            "UPDATE accounts SET password = \(record.text) WHERE principal = \(principal.text) AND password = \(old.text)")
    }

    /// False when the account is somebody else's at that provider already, or that somebody is another account's.
    func link(issuer: String, subject: String, to principal: PrincipalName, noting entry: AuditEntry) async throws -> Bool {
        try await pool.transaction { connection in
            let linked = try await connection.execute(
                """
                INSERT INTO identities (issuer, subject, principal) VALUES (\(issuer), \(subject), \(principal.text))
                ON CONFLICT DO NOTHING
                """)
            guard linked > 0 else { return false }
            try await AuditLog.record(entry, on: connection)
            return true
        }
    }
}

extension Account {
    fileprivate init?(first rows: [PostgresRow]) throws {
        guard let row = rows.first else { return nil }
        try self.init(row)
    }
}
