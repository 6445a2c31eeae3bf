import Postgres

/// Taking and keeping the lease of a cluster, on a connection of the caller's own: a renewal must not queue behind the pool's queries. Times
/// are the database's. The caller also stops by its own monotonic clock when renewals stay unanswered (ARCHITECTURE §7).
struct JobLeases: Sendable {
    /// How long a lease holds without renewal.
    static let lifetimeSeconds = 10

    let connection: PostgresConnection

    /// Takes the lease if it is free, run out, or held by this holder already; nil while another process holds it. The epoch grows whenever
    /// the lease passes on or had run out.
    func acquire(cluster: String, holder: String) async throws -> JobLease? {
        let rows = try await connection.query(
            """
            INSERT INTO leases AS held (cluster_name, holder, epoch, expires_at)
            VALUES (\(cluster), \(holder), 1, clock_timestamp() + \(Self.lifetimeSeconds) * interval '1 second')
            ON CONFLICT (cluster_name) DO UPDATE SET
                holder = excluded.holder, epoch = held.epoch + 1,
                expires_at = clock_timestamp() + \(Self.lifetimeSeconds) * interval '1 second'
            WHERE held.expires_at <= clock_timestamp() OR held.holder = excluded.holder
            RETURNING epoch
            """)
        return try rows.first.map { JobLease(cluster: cluster, holder: holder, epoch: try $0.get("epoch")) }
    }

    /// - Returns: false when the lease is no longer this one: stop acting at once.
    func renew(_ lease: JobLease) async throws -> Bool {
        try await connection.execute(
            """
            UPDATE leases SET expires_at = clock_timestamp() + \(Self.lifetimeSeconds) * interval '1 second'
            WHERE cluster_name = \(lease.cluster) AND holder = \(lease.holder) AND epoch = \(lease.epoch)
                AND expires_at > clock_timestamp()
            """) > 0
    }

    /// Lets another replica take over without waiting. A lease that passed on meanwhile is left alone.
    func release(_ lease: JobLease) async throws {
        try await connection.execute(
            """
            UPDATE leases SET expires_at = clock_timestamp()
            WHERE cluster_name = \(lease.cluster) AND holder = \(lease.holder) AND epoch = \(lease.epoch)
            """)
    }
}
