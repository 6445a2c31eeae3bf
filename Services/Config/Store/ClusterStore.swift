import PlatformModel
import Postgres
import ServiceKit

/// The cluster documents in Postgres.
struct ClusterStore: Sendable {
    let pool: PostgresPool

    /// In the order of creation.
    func all() async throws -> [ClusterDocument] {
        try await pool.query("SELECT document FROM clusters ORDER BY created_at, name").map { try $0.json("document") }
    }

    func cluster(_ name: ClusterName) async throws -> ClusterDocument? {
        try await pool.query("SELECT document FROM clusters WHERE name = \(name.text)").first.map { try $0.json("document") }
    }

    /// False if the name is taken.
    func insert(_ document: ClusterDocument) async throws -> Bool {
        try await pool.execute(
            """
            INSERT INTO clusters (name, document) VALUES (\(document.name.text), \(PostgresJSON(document)))
            ON CONFLICT (name) DO NOTHING
            """) == 1
    }

    /// Changes a document; nil if there is none. A change that changes nothing is not stored. Whatever `change` throws leaves all as it was.
    func update(
        _ name: ClusterName, _ change: @Sendable (inout ClusterDocument) throws -> Void
    ) async throws -> ClusterDocument? {
        try await pool.transaction { connection in
            let rows = try await connection.query("SELECT document FROM clusters WHERE name = \(name.text) FOR UPDATE")
            guard let before: ClusterDocument = try rows.first?.json("document") else { return nil }
            var after = before
            try change(&after)
            guard after != before else { return before }
            try await connection.execute(
                """
                UPDATE clusters SET document = \(PostgresJSON(after)), generation = generation + 1, changed_at = now()
                WHERE name = \(name.text)
                """)
            return after
        }
    }

    /// False if there was none.
    func delete(_ name: ClusterName) async throws -> Bool {
        try await pool.execute("DELETE FROM clusters WHERE name = \(name.text)") == 1
    }
}
