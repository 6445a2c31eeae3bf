import Postgres

/// The list of principals whose change has yet to reach Redis.
struct ACLOutbox: Sendable {
    let pool: PostgresPool
    let closures: ClosureStore
    let copy: AccessCopy
    let filler: CopyFiller

    /// Where a transaction that changes something says so.
    static let channel = "acl_outbox"

    /// Gives these principals, whose rows the transaction holds, their next version.
    static func touch(_ names: [String], on connection: PostgresConnection) async throws {
        guard !names.isEmpty else { return }
        try await connection.execute(
            """
            WITH changed AS (
                UPDATE principals SET version = nextval('acl_versions') WHERE name = ANY(\(names)) RETURNING name, version)
            INSERT INTO acl_outbox (principal, version) SELECT name, version FROM changed
            """)
        try await announce(on: connection)
    }

    /// Has every replica look at the list once this transaction is committed.
    static func announce(on connection: PostgresConnection) async throws {
        _ = try await connection.query("SELECT pg_notify(\(channel), '')")
    }

    /// Brings the present state of these principals into the copy and strikes them from the list.
    func publish(_ names: [String]) async throws {
        guard !names.isEmpty else { return }
        let records = try await closures.records(of: names)
        filler.want(try await copy.publish(records))
        try await pool.execute(
            """
            DELETE FROM acl_outbox o USING unnest(\(records.map(\.name))::text[], \(records.map(\.version))::bigint[]) AS p(name, version)
            WHERE o.principal = p.name AND o.version <= p.version
            """)
    }

    /// Publishes what others left behind (killed between commit and publication, or unable to reach Redis). Several replicas may sweep at
    /// once: each takes what no other holds. False when more may be left.
    func sweep() async throws -> Bool {
        try await pool.transaction { connection in
            let rows = try await connection.query("SELECT id, principal FROM acl_outbox ORDER BY id LIMIT 200 FOR UPDATE SKIP LOCKED")
            guard !rows.isEmpty else { return true }
            let names = Set(try rows.map { try $0.get("principal", as: String.self) })
            filler.want(try await copy.publish(closures.records(of: Array(names), on: connection)))
            try await connection.execute("DELETE FROM acl_outbox WHERE id = ANY(\(rows.map { try $0.get("id", as: Int.self) }))")
            return rows.count < 200
        }
    }
}
