import Postgres

/// What a service has written down: a digest of each table, to see whether something changed.
struct Snapshot: Equatable, Sendable {
    /// Tables that live without anybody asking for it.
    private static let restless: Set = [
        "leases",  // who looks after which cluster, renewed all the time
        "sign_in_attempts",  // refused attempts are what it counts
    ]

    private let digests: [String: String]

    static func take(of pool: PostgresPool) async throws -> Snapshot {
        let tables = try await pool.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
            .map { try $0.get("tablename", as: String.self) }
            .filter { !restless.contains($0) }
        guard !tables.isEmpty else { return Snapshot(digests: [:]) }
        let parts = tables.map {
            "SELECT '\($0)' AS name, coalesce(md5(string_agg(t::text, E'\\n' ORDER BY t::text)), '') AS digest FROM \"\($0)\" t"
        }
        let rows = try await pool.query(PostgresQuery(sql: parts.joined(separator: " UNION ALL ")))
        return Snapshot(digests: Dictionary(uniqueKeysWithValues: try rows.map { (try $0.get("name"), try $0.get("digest")) }))
    }

    /// The tables that differ.
    func changes(since earlier: Snapshot) -> [String] {
        digests.keys.filter { digests[$0] != earlier.digests[$0] }.sorted()
    }
}
