import PlatformModel
import Postgres

/// Principals in Postgres. Every change notes in the outbox whose copy is now old; the caller publishes after the commit.
struct PrincipalStore: Sendable {
    let pool: PostgresPool

    func exists(_ principal: PrincipalName) async throws -> Bool {
        try await !pool.query("SELECT 1 FROM principals WHERE name = \(principal.text)").isEmpty
    }

    /// Creates a principal with what every principal holds on itself; false if it is there already.
    func create(_ principal: PrincipalName, on connection: PostgresConnection, builtin: Bool = false) async throws -> Bool {
        let created = try await connection.execute(
            "INSERT INTO principals (name, builtin) VALUES (\(principal.text), \(builtin)) ON CONFLICT (name) DO NOTHING")
        guard created > 0 else { return false }
        // A statement of its own: an insertion that had to wait for the deletion of its predecessor does not see it. Whatever token the
        // predecessor has was issued before this moment.
        let rows = try await connection.query(
            """
            UPDATE principals SET version = nextval('acl_versions'), valid_from = CASE
                WHEN EXISTS (SELECT FROM deleted_principals d WHERE d.name = principals.name)
                THEN floor(extract(epoch FROM clock_timestamp()))::bigint + 1 ELSE 0 END
            WHERE name = \(principal.text) RETURNING version
            """)
        guard let version = try rows.first?.get("version", as: Int.self) else { return false }
        for (permission, role) in [(Permission(principal.userURI, .read), nil), (Permission(principal.roleURI, .manage), principal.text)] {
            try await connection.execute(
                """
                INSERT INTO grants (principal, uri, scheme, segments, action, implicit, role)
                VALUES (\(principal.text), \(permission.uri.canonical), \(permission.uri.scheme.rawValue), \(permission.uri.segments),
                        \(permission.action.rank), true, \(role as String?))
                """)
        }
        try await connection.execute("INSERT INTO acl_outbox (principal, version) VALUES (\(principal.text), \(version))")
        try await ACLOutbox.announce(on: connection)
        return true
    }

    /// Deletes a principal and everything below it, and every grant that anybody holds on one of them. The names whose copy is old now;
    /// nil when there is no such principal.
    func delete(_ principal: PrincipalName, noting entry: AuditEntry? = nil) async throws -> [String]? {
        try await pool.transaction { try await delete(principal, noting: entry, on: $0) }
    }

    func delete(_ principal: PrincipalName, noting entry: AuditEntry? = nil, on connection: PostgresConnection) async throws -> [String]? {
        // First, so that what is being made below it is seen afterwards.
        guard try await !connection.query("SELECT 1 FROM principals WHERE name = \(principal.text) FOR UPDATE").isEmpty else { return nil }
        let gone = try await connection.query(
            """
            SELECT name FROM principals WHERE name = \(principal.text) OR (name > \(principal.text + "/") AND name < \(principal.text + "0"))
            ORDER BY name FOR UPDATE
            """
        ).map { try $0.get("name", as: String.self) }
        let (user, role) = (principal.userURI.canonical, principal.roleURI.canonical)
        let holders = try await connection.query(
            """
            SELECT name FROM principals WHERE name IN (
                SELECT principal FROM grants WHERE uri IN (\(user), \(role)) OR starts_with(uri, \(user + "/")) OR starts_with(uri, \(role + "/")))
            ORDER BY name FOR UPDATE
            """
        ).map { try $0.get("name", as: String.self) }.filter { !gone.contains($0) }
        try await connection.execute(
            """
            DELETE FROM grants
            WHERE uri IN (\(user), \(role)) OR starts_with(uri, \(user + "/")) OR starts_with(uri, \(role + "/"))
            """)
        try await connection.execute(
            """
            INSERT INTO deleted_principals (name, version) SELECT unnest(\(gone)::text[]), nextval('acl_versions')
            ON CONFLICT (name) DO UPDATE SET version = excluded.version, deleted_at = excluded.deleted_at
            """)
        try await connection.execute("DELETE FROM principals WHERE name = ANY(\(gone))")
        try await connection.execute(
            "INSERT INTO acl_outbox (principal, version) SELECT name, version FROM deleted_principals WHERE name = ANY(\(gone))")
        try await ACLOutbox.announce(on: connection)
        try await ACLOutbox.touch(holders, on: connection)
        try await AuditLog.record(entry, on: connection)
        return gone + holders
    }

    /// Keeps a principal from being deleted until the transaction ends; false when there is none.
    func hold(_ principal: PrincipalName, on connection: PostgresConnection) async throws -> Bool {
        try await !connection.query("SELECT 1 FROM principals WHERE name = \(principal.text) FOR KEY SHARE").isEmpty
    }

    func isBuiltin(_ principal: PrincipalName) async throws -> Bool {
        try await pool.query("SELECT builtin FROM principals WHERE name = \(principal.text)").first?.get("builtin") ?? false
    }

    /// Everything below a principal, full names in order.
    func subroles(of principal: PrincipalName) async throws -> [String] {
        try await pool.query(
            "SELECT name FROM principals WHERE name > \(principal.text + "/") AND name < \(principal.text + "0") ORDER BY name"
        ).map { try $0.get("name") }
    }

    /// The earliest moment, in seconds since 1970, at which a token for the principal may say it was issued; nil when there is none.
    func validFrom(_ principal: PrincipalName) async throws -> Double? {
        try await pool.query("SELECT valid_from FROM principals WHERE name = \(principal.text)").first?.get("valid_from")
    }
}
