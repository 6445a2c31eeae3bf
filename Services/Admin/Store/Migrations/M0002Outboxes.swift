import Postgres

/// What must still reach others: principals whose grants auth-api does not have yet, and events; and the keys of calls already made.
let m0002Outboxes = Migration(
    2, "outboxes",
    sql: """
        -- One row a change. A principal is brought up to date as a whole, so that the order of its rows does not matter.
        CREATE TABLE grant_outbox (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            principal text NOT NULL,
            kind text NOT NULL,
            cluster_name text,
            org_name text,
            user_name text,
            rank int NOT NULL,
            enqueued_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE INDEX grant_outbox_principal ON grant_outbox (principal);

        -- The roles that users were ever given by this service and may still hold.
        CREATE TABLE held_roles (
            user_name text NOT NULL,
            role_name text NOT NULL,
            PRIMARY KEY (user_name, role_name)
        );

        CREATE TABLE outbox (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            stream text NOT NULL,
            type text NOT NULL,
            payload jsonb NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now()
        );

        CREATE TABLE idempotency_keys (
            caller text NOT NULL,
            route text NOT NULL,
            key text NOT NULL,
            body_hash text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (caller, route, key)
        );
        """)
