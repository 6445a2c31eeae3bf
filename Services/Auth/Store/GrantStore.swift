import PlatformModel
import Postgres

/// Direct grants in Postgres. Each change holds the principal's row, so that changes of one principal follow one another.
struct GrantStore: Sendable {
    let pool: PostgresPool

    /// Adds grants; one that is there is raised, never lowered. The resulting direct actions in the order given; nil when there is no such
    /// principal.
    func add(_ permissions: [Permission], to principal: PrincipalName, noting entry: AuditEntry? = nil) async throws -> [Action]? {
        try await pool.transaction { connection in
            guard try await lock(principal, on: connection) else { return nil }
            try await Self.insert(permissions, to: principal, on: connection)
            try await ACLOutbox.touch([principal.text], on: connection)
            try await AuditLog.record(entry, on: connection)
            let uris = permissions.map(\.uri.canonical)
            let rows = try await connection.query(
                "SELECT uri, action FROM grants WHERE principal = \(principal.text) AND uri = ANY(\(uris))")
            let held = Dictionary(
                try rows.map { (try $0.get("uri", as: String.self), try $0.get("action", as: Int.self)) }, uniquingKeysWith: max)
            return uris.map { Action(rank: held[$0] ?? 0) }
        }
    }

    /// Makes these the only direct grants beside the implicit ones; false when there is no such principal.
    func replace(_ permissions: [Permission], of principal: PrincipalName, noting entry: AuditEntry? = nil) async throws -> Bool {
        try await pool.transaction { connection in
            guard try await lock(principal, on: connection) else { return false }
            try await connection.execute("DELETE FROM grants WHERE principal = \(principal.text) AND NOT implicit")
            // Implicit grants stay, but not what an explicit grant had raised them to; those that were revoked stay revoked.
            try await connection.execute(
                """
                UPDATE grants SET action = CASE scheme WHEN 'user' THEN 2 ELSE 4 END
                WHERE principal = \(principal.text) AND implicit
                """)
            try await Self.insert(permissions, to: principal, on: connection)
            try await ACLOutbox.touch([principal.text], on: connection)
            try await AuditLog.record(entry, on: connection)
            return true
        }
    }

    /// Removes the direct grants on exactly these URIs. How many there were; nil when there is no such principal.
    func remove(_ uris: [ResourceURI], from principal: PrincipalName, noting entry: AuditEntry? = nil) async throws -> Int? {
        try await pool.transaction { connection in
            guard try await lock(principal, on: connection) else { return nil }
            let removed = try await connection.execute(
                "DELETE FROM grants WHERE principal = \(principal.text) AND uri = ANY(\(uris.map(\.canonical)))")
            if removed > 0 {
                try await ACLOutbox.touch([principal.text], on: connection)
                try await AuditLog.record(entry, on: connection)
            }
            return removed
        }
    }

    /// Direct grants of others on what is covered by `managed`: what its holder has shared. Implicit grants are nobody's doing.
    func shared(by principal: PrincipalName, managed: [ResourceURI], below filter: ResourceURI?) async throws -> [(String, Permission)] {
        let schemes = Array(Set(managed.map(\.scheme)).filter { filter == nil || $0 == filter?.scheme }.map(\.rawValue))
        guard !schemes.isEmpty else { return [] }
        let rows = try await pool.query(
            """
            SELECT principal, uri, action FROM grants
            WHERE scheme = ANY(\(schemes)) AND principal <> \(principal.text) AND NOT implicit ORDER BY uri, principal
            """)
        let covers = Set(managed.map(\.canonical))
        return try rows.compactMap { row in
            guard let uri = try? ResourceURI(row.get("uri", as: String.self)), filter?.covers(uri) ?? true,
                Prefixes.of(uri).contains(where: covers.contains)
            else { return nil }
            return (try row.get("principal"), Permission(uri, Action(rank: try row.get("action", as: Int.self))))
        }
    }

    private func lock(_ principal: PrincipalName, on connection: PostgresConnection) async throws -> Bool {
        try await !connection.query("SELECT 1 FROM principals WHERE name = \(principal.text) FOR UPDATE").isEmpty
    }

    /// Inserts or raises; true if anything changed.
    @discardableResult
    static func insert(_ permissions: [Permission], to principal: PrincipalName, on connection: PostgresConnection) async throws -> Bool {
        // Held until the commit, so that a principal that is being deleted takes these grants with it.
        let named = permissions.filter { $0.uri.scheme == .role || $0.uri.scheme == .user }.map { $0.uri.segments.joined(separator: "/") }
        if !named.isEmpty {
            _ = try await connection.query("SELECT 1 FROM principals WHERE name = ANY(\(named)) ORDER BY name FOR SHARE")
        }
        var changed = 0
        for permission in permissions {
            let (uri, rank) = (permission.uri, permission.action.rank)
            // Only what can be a principal's name: anything else makes nobody a member of anything.
            let role = uri.scheme == .role ? try? PrincipalName(uri.segments.joined(separator: "/")).text : nil
            changed += try await connection.execute(
                """
                INSERT INTO grants (principal, uri, scheme, segments, action, role)
                VALUES (\(principal.text), \(uri.canonical), \(uri.scheme.rawValue), \(uri.segments), \(rank), \(role))
                ON CONFLICT (principal, uri) DO UPDATE SET action = excluded.action WHERE grants.action < excluded.action
                """)
        }
        return changed > 0
    }
}
