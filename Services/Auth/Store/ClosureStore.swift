import PlatformModel
import Postgres

/// Reads of the truth: what principals hold themselves, and with their roles.
struct ClosureStore: Sendable {
    let pool: PostgresPool

    /// What these principals hold themselves, one record a name, also for names that do not exist. One statement, so one moment.
    /// - Parameter whole: also the grants of those that have more than ``AccessRecord/largest``.
    func records(of names: [String], whole: Bool = false) async throws -> [AccessRecord] {
        try Self.records(await pool.query(Self.recordsQuery(names, whole)))
    }

    /// As ``records(of:whole:)``, on a connection that is already lent.
    func records(of names: [String], on connection: PostgresConnection) async throws -> [AccessRecord] {
        try Self.records(await connection.query(Self.recordsQuery(names, false)))
    }

    /// What is large is found out once for each name, not for each grant, whatever the planner thinks of it.
    private static func recordsQuery(_ names: [String], _ whole: Bool) -> PostgresQuery {
        """
        WITH named AS MATERIALIZED (
            SELECT n.name, p.valid_from, coalesce(p.version, d.version, 0) AS version, NOT \(whole)::boolean AND EXISTS (
                SELECT FROM grants WHERE principal = p.name OFFSET \(AccessRecord.largest)::int) AS large
            FROM unnest(\(names)::text[]) AS n(name)
            LEFT JOIN principals p ON p.name = n.name
            LEFT JOIN deleted_principals d ON d.name = n.name AND p.name IS NULL
        )
        SELECT n.name, n.valid_from, n.version, n.large, g.uri, g.action, g.role
        FROM named n LEFT JOIN grants g ON g.principal = n.name AND NOT n.large
        """
    }

    /// How many grants each of these principals has; none has no entry.
    func counts(of names: [String]) async throws -> [String: Int] {
        let rows = try await pool.query(
            "SELECT principal, count(*) AS count FROM grants WHERE principal = ANY(\(names)::text[]) GROUP BY principal")
        return Dictionary(try rows.map { (try $0.get("principal"), try $0.get("count")) }) { first, _ in first }
    }

    /// The names that follow this one.
    func principals(after name: String, limit: Int) async throws -> [String] {
        try await pool.query("SELECT name FROM principals WHERE name > \(name) ORDER BY name LIMIT \(limit)::int").map {
            try $0.get("name")
        }
    }

    private static func records(_ rows: [PostgresRow]) throws -> [AccessRecord] {
        var records: [String: AccessRecord] = [:]
        for row in rows {
            let name = try row.get("name", as: String.self)
            if records[name] == nil {
                records[name] = AccessRecord(
                    name: name, version: try row.get("version"), validFrom: try row.get("valid_from", as: Int?.self).map(Double.init),
                    isLarge: try row.get("large"))
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
        let filter = Filter(
            uris: Array(Set(questions.flatMap { $0.uris.flatMap(Prefixes.of) })),
            schemes: Array(Set(questions.compactMap { $0.everything?.rawValue })))
        let tables = try await tables(of: questions.map(\.principal), filter)
        return questions.map { question in
            guard let (validFrom, table) = tables[question.principal.text] else {
                return Verdict(validFrom: nil, actions: question.uris.map { _ in .deny })
            }
            return Verdict(
                validFrom: validFrom, actions: question.uris.map { table.action(on: $0) },
                grants: table.permissions.filter { $0.uri.scheme == question.everything })
        }
    }

    /// Which grants are wanted: those on exactly these URIs, and all of these schemes.
    private struct Filter {
        let uris: [String]
        let schemes: [String]

        /// By URI alone each is found in the index, however many others a principal has.
        var condition: PostgresQuery {
            schemes.isEmpty ? "AND g.uri = ANY(\(uris))" : "AND (g.uri = ANY(\(uris)) OR g.scheme = ANY(\(schemes)))"
        }
    }

    /// Everything a principal holds effectively; nil when it does not exist.
    func table(of principal: PrincipalName) async throws -> GrantTable? {
        try await tables(of: [principal], nil)[principal.text]?.table
    }

    private func tables(
        of principals: [PrincipalName], _ wanted: Filter?
    ) async throws -> [String: (validFrom: Double, table: GrantTable)] {
        let names = Array(Set(principals.map(\.text)))
        let filter: PostgresQuery = wanted?.condition ?? ""
        let query: PostgresQuery =
            """
            SELECT r.name AS root, r.valid_from, g.uri, g.action
            FROM principals r
            CROSS JOIN LATERAL (
                WITH RECURSIVE closure(name) AS (
                    SELECT n.name COLLATE "C" FROM (VALUES (r.name), ('public')) AS n(name)
                    UNION
                    SELECT p.name FROM closure c
                    JOIN grants g ON g.principal = c.name AND g.role IS NOT NULL
                    JOIN principals p ON p.name = g.role
                ) SELECT name FROM closure LIMIT 1000
            ) c
            LEFT JOIN grants g ON g.principal = c.name AND (c.name = r.name OR g.uri NOT IN ('role://' || c.name, 'user://' || c.name)) \(filter)
            WHERE r.name = ANY(\(names)::text[])
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
