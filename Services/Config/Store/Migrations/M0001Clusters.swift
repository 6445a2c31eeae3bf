import Postgres

extension Migrations {
    /// One document a cluster. `generation` counts its changes, so that two writers cannot overwrite each other unnoticed.
    static let m0001Clusters = Migration(
        1, "clusters",
        sql: """
            CREATE TABLE clusters (
                name text PRIMARY KEY,
                generation bigint NOT NULL DEFAULT 1,
                created_at timestamptz(6) NOT NULL DEFAULT now(),
                changed_at timestamptz(6) NOT NULL DEFAULT now(),
                document jsonb NOT NULL
            );
            CREATE INDEX clusters_created_at_idx ON clusters (created_at, name);
            """)
}
