import Postgres

/// Who changed what; what config-api must still hear of; charges of who is gone; when the grants were last compared.
let m0003Audit = Migration(
    3, "audit",
    sql: """
        CREATE TABLE audit_log (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            at timestamptz NOT NULL DEFAULT now(),
            event text COLLATE "C" NOT NULL,
            caller text COLLATE "C" NOT NULL,
            -- A path of this API.
            target text COLLATE "C" NOT NULL,
            old jsonb,
            new jsonb,
            idempotency_key text
        );
        CREATE INDEX audit_log_at ON audit_log (at);
        CREATE INDEX audit_log_target ON audit_log (target, id);
        CREATE INDEX audit_log_event ON audit_log (event, id);
        CREATE INDEX audit_log_caller ON audit_log (caller, event, at);

        -- One row a cluster that was made or removed; config-api is told what the table of clusters says when the row is read.
        CREATE TABLE config_outbox (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            cluster_name text NOT NULL,
            enqueued_at timestamptz NOT NULL DEFAULT now()
        );

        -- What was spent by members who were removed before the charge came.
        CREATE TABLE debts (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            cluster_name text NOT NULL,
            org_name text,
            user_name text,
            credits numeric(38, 18) NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now()
        );

        CREATE TABLE chores (
            name text PRIMARY KEY,
            begun_at timestamptz NOT NULL
        );

        CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);
        """)
