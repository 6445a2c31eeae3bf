import Postgres

/// Who did what to whom, when and from where.
enum M0003AuditLog {
    static let migration = Migration(
        3, "audit log",
        sql: """
            CREATE TABLE audit_log (
                id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                at timestamptz NOT NULL DEFAULT now(),
                event text COLLATE "C" NOT NULL,
                -- Null where nobody had signed in yet.
                actor text COLLATE "C",
                principal text COLLATE "C",
                details text[] NOT NULL DEFAULT '{}',
                source text COLLATE "C",
                request_id text COLLATE "C"
            );
            CREATE INDEX audit_log_at ON audit_log (at);
            CREATE INDEX audit_log_principal ON audit_log (principal, id);
            CREATE INDEX audit_log_actor ON audit_log (actor, id);
            """)
}
