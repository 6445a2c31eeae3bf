import Postgres

/// Streams of events for other services, who follows them, and what each has not acknowledged.
let m0004Events = Migration(
    4, "events",
    sql: """
        CREATE TABLE event_streams (
            name text PRIMARY KEY,
            -- Of the newest event; both only grow. Whoever adds events holds the row, so that none becomes visible before an earlier one.
            position bigint NOT NULL DEFAULT 0,
            at timestamptz NOT NULL DEFAULT now()
        );
        INSERT INTO event_streams (name) VALUES ('platform-admin'), ('platform-config');

        CREATE TABLE events (
            stream text NOT NULL,
            position bigint NOT NULL,
            at timestamptz NOT NULL,
            sender text NOT NULL,
            type text NOT NULL,
            cluster_name text,
            org_name text,
            project_name text,
            user_name text,
            -- Whatever else the sender said.
            extra jsonb NOT NULL DEFAULT '{}',
            -- The sender's own id: what is sent again after a lost answer is the same event.
            sent_id uuid,
            PRIMARY KEY (stream, position)
        );
        CREATE UNIQUE INDEX events_sent ON events (stream, sender, sent_id) WHERE sent_id IS NOT NULL;
        CREATE INDEX events_at ON events (stream, at);
        CREATE INDEX events_removals ON events (cluster_name, project_name) WHERE type = 'project-remove';

        -- Consumers that share their work: one authenticated subscriber, one name, the same filters.
        CREATE TABLE event_groups (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            stream text NOT NULL,
            subscriber text NOT NULL,
            -- Of a cluster's own token; null for the control plane, which sees all clusters.
            cluster_name text,
            name text NOT NULL,
            filters jsonb NOT NULL,
            filters_hash text NOT NULL,
            -- All before it was handed out, or is none of this group's.
            position bigint NOT NULL DEFAULT 0,
            seen_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE UNIQUE INDEX event_groups_identity ON event_groups (stream, subscriber, coalesce(cluster_name, ''), name, filters_hash);

        -- Open connections. One that vanished without a word may still be at work for a while.
        CREATE TABLE event_sessions (
            id uuid PRIMARY KEY,
            seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            has_ended boolean NOT NULL DEFAULT false
        );

        -- What was handed out and is not acknowledged.
        CREATE TABLE event_deliveries (
            group_id bigint NOT NULL REFERENCES event_groups ON DELETE CASCADE,
            stream text NOT NULL,
            position bigint NOT NULL,
            -- The connection that has it.
            session uuid NOT NULL,
            attempts int NOT NULL DEFAULT 1,
            -- When the same connection gets it again; another one does when that connection is no more.
            due_at timestamptz NOT NULL,
            PRIMARY KEY (group_id, position),
            FOREIGN KEY (stream, position) REFERENCES events ON DELETE CASCADE
        );
        CREATE INDEX event_deliveries_event ON event_deliveries (stream, position);
        CREATE INDEX event_deliveries_session ON event_deliveries (session);

        -- Nobody read the outbox until now, and names were free at once: what has been made again must not be cleared away.
        DELETE FROM outbox USING projects
        WHERE outbox.type = 'project-remove' AND projects.name = outbox.payload->>'project'
            AND projects.cluster_name = outbox.payload->>'cluster' AND projects.org_name IS NOT DISTINCT FROM outbox.payload->>'org';
        """)
