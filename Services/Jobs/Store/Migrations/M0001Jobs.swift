import Postgres

extension Migrations {
    /// Columns for what is filtered, sorted or guarded; JSON for the rest. `status`, `created_at` and `finished_at` are copies of what the
    /// history says, written in the same statement.
    ///
    /// A name is unique among the active jobs of a cluster and org-project hash, not of the project alone: the hash stands for the project in
    /// the public host name and two projects may share one, but a host name must lead to one job.
    static let m0001Jobs = Migration(
        1, "jobs",
        sql: """
            CREATE TABLE jobs (
                id text PRIMARY KEY,
                owner text NOT NULL,
                base_owner text NOT NULL GENERATED ALWAYS AS (split_part(owner, '/', 1)) STORED,
                name text,
                cluster_name text NOT NULL,
                org_name text NOT NULL,
                project_name text NOT NULL,
                org_project_hash text NOT NULL,
                namespace text NOT NULL,
                tags text[] NOT NULL DEFAULT '{}',
                status text NOT NULL,
                created_at timestamptz(6) NOT NULL,
                finished_at timestamptz(6),
                materialized boolean NOT NULL DEFAULT false,
                being_dropped boolean NOT NULL DEFAULT false,
                logs_removed boolean NOT NULL DEFAULT false,
                max_run_time_minutes bigint,
                attempt integer NOT NULL DEFAULT 1,
                version bigint NOT NULL DEFAULT 1,
                last_change uuid NOT NULL,
                history jsonb NOT NULL,
                spec jsonb NOT NULL,
                notes jsonb NOT NULL DEFAULT '{}'
            );
            CREATE UNIQUE INDEX jobs_active_name_uq ON jobs (cluster_name, org_project_hash, name)
                WHERE status IN ('pending', 'suspended', 'running');
            CREATE INDEX jobs_created_at_idx ON jobs (created_at, id);
            CREATE INDEX jobs_scope_idx ON jobs (cluster_name, org_name, project_name, created_at, id);
            CREATE INDEX jobs_owner_idx ON jobs (owner, created_at, id);
            CREATE INDEX jobs_base_owner_idx ON jobs (base_owner, created_at, id);
            CREATE INDEX jobs_name_idx ON jobs (name, created_at, id) WHERE name IS NOT NULL;
            CREATE INDEX jobs_hash_idx ON jobs (org_project_hash, name);
            CREATE INDEX jobs_tags_idx ON jobs USING gin (tags);
            CREATE INDEX jobs_in_work_idx ON jobs (cluster_name, created_at, id)
                WHERE materialized OR status IN ('pending', 'suspended', 'running');
            CREATE INDEX jobs_finished_idx ON jobs (finished_at, id)
                WHERE finished_at IS NOT NULL AND NOT materialized AND NOT being_dropped;
            """)
}
