import Postgres

extension Migrations {
    /// The few ended jobs whose pass-config grant is not noted as taken back, for the policy that looks for them every minute.
    static let m0004LeftGrants = Migration(
        4, "left-grants",
        sql: """
            CREATE INDEX jobs_left_grants_idx ON jobs (finished_at)
                WHERE finished_at IS NOT NULL AND NOT materialized AND (spec->>'passConfig')::boolean
                    AND notes->>'pass_config_revoked' IS NULL;
            """)
}
