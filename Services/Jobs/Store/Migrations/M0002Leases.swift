import Postgres

extension Migrations {
    /// Who leads a cluster. The epoch grows with every change of holder, so that a change made in the name of an older one is refused.
    static let m0002Leases = Migration(
        2, "leases",
        sql: """
            CREATE TABLE leases (
                cluster_name text PRIMARY KEY,
                holder text NOT NULL,
                epoch bigint NOT NULL,
                expires_at timestamptz NOT NULL
            );
            """)
}
