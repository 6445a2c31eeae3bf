import PlatformModel
import Postgres

/// Reads of the truth: what principals hold themselves, and with their roles.
struct ClosureStore: Sendable {
    let pool: PostgresPool

    /// What these principals hold themselves, one record a name, also for names that do not exist. One statement, so one moment.
    func records(of names: [String]) async throws -> [AccessRecord] {
        try Self.records(
            await pool.query(Self.recordsQuery(names)))
    }

    /// As ``records(of:)``, on a connection that is already lent.
    func records(of names: [String], on connection: PostgresConnection) async throws -> [AccessRecord] {
        try Self.records(await connection.query(Self.recordsQuery(names)))
    }

    private static func recordsQuery(_ names: [String]) -> PostgresQuery {
        """
        SELECT n.name, p.valid_from, coalesce(p.version, d.version, 0) AS version, g.uri, g.action, g.role
        FROM unnest(\(names)::text[]) AS n(name)
        LEFT JOIN principals p ON p.name = n.name
        LEFT JOIN deleted_principals d ON d.name = n.name AND p.name IS NULL
        LEFT JOIN grants g ON g.principal = p.name
        """
    }

    private static func records(_ rows: [PostgresRow]) throws -> [AccessRecord] {
        var records: [String: AccessRecord] = [:]
        for row in rows {
            let name = try row.get("name", as: String.self)
            if records[name] == nil {
                records[name] = AccessRecord(
                    name: name, version: try row.get("version"), validFrom: try row.get("valid_from", as: Int?.self).map(Double.init))
            }
            // Changed in place: a copy for each row would make a long list take the square of its length.
            if let uri = try row.get("uri", as: String?.self) {
                records[name]?.grants.append((uri, Action(rank: try row.get("action", as: Int.self))))
                if let role = try row.get("role", as: String?.self), role != name { records[name]?.roles.append(role) }
            }
        }
        return Array(records.values)
    }

    /// Answers questions as the copy does, with the same rules: roles by exact `role://` grants, each once, at most 1,000; a principal's
    /// grants on its own `role://` and `user://` URIs are not for its members.
    func judge(_ questions: [Question]) async throws -> [Verdict] {
        let tables = try await tables(of: questions.map(\.principal), schemes: Self.schemes(questions))
        return questions.map { question in
            guard let (validFrom, table) = tables[question.principal.text] else {
                return Verdict(validFrom: nil, actions: question.uris.map { _ in .deny })
            }
            return Verdict(
                validFrom: validFrom, actions: question.uris.map { table.action(on: $0) },
                grants: table.permissions.filter { $0.uri.scheme == question.everything })
        }
    }

    private static func schemes(_ questions: [Question]) -> [String] {
        Array(Set(questions.flatMap { $0.uris.map(\.scheme.rawValue) + ($0.everything.map { [$0.rawValue] } ?? []) }))
    }

    /// Everything a principal holds effectively; nil when it does not exist.
    func table(of principal: PrincipalName) async throws -> GrantTable? {
        try await tables(of: [principal], schemes: nil)[principal.text]?.table
    }

    private func tables(
        of principals: [PrincipalName], schemes: [String]?
    ) async throws -> [String: (validFrom: Double, table: GrantTable)] {
        let names = Array(Set(principals.map(\.text)))
        let filter: PostgresQuery = schemes.map { "AND g.scheme = ANY(\($0))" } ?? ""
        let query: PostgresQuery =
            """
            WITH RECURSIVE closure(root, name) AS (
                SELECT r.root COLLATE "C", n.name COLLATE "C"
                FROM unnest(\(names)::text[]) AS r(root), LATERAL (VALUES (r.root), ('public')) AS n(name)
                WHERE EXISTS (SELECT FROM principals p WHERE p.name = r.root)
                UNION
                SELECT c.root, p.name FROM closure c
                JOIN grants g ON g.principal = c.name AND g.role IS NOT NULL
                JOIN principals p ON p.name = g.role
            ), bounded AS (SELECT * FROM closure LIMIT \(1_000 * names.count))
            SELECT c.root, r.valid_from, g.uri, g.action
            FROM bounded c
            JOIN principals r ON r.name = c.root
            LEFT JOIN grants g ON g.principal = c.name AND (c.name = c.root OR g.uri NOT IN ('role://' || c.name, 'user://' || c.name)) \(filter)
            """
        let rows = try await pool.query(query.readOnly)
        var tables: [String: (validFrom: Double, table: GrantTable)] = [:]
        for row in rows {
            let root = try row.get("root", as: String.self)
            if tables[root] == nil { tables[root] = (try row.get("valid_from", as: Double.self), GrantTable()) }
            if let uri = try row.get("uri", as: String?.self) {
                tables[root]?.table.add(uri, Action(rank: try row.get("action", as: Int.self)))
            }
        }
        return tables
    }
}
