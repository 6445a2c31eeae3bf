import Postgres

/// Users, clusters, organizations, projects and who belongs to what. Empty quota and credit columns mean unlimited.
let m0001Entities = Migration(
    1, "entities",
    sql: """
        CREATE TABLE users (
            name text PRIMARY KEY,
            email text NOT NULL,
            first_name text,
            last_name text,
            created_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE UNIQUE INDEX users_email ON users (lower(email));

        CREATE TABLE clusters (
            name text PRIMARY KEY,
            default_role text NOT NULL DEFAULT 'user' CHECK (default_role IN ('member', 'user', 'manager', 'admin')),
            default_quota_jobs bigint CHECK (default_quota_jobs >= 0),
            default_credits numeric(38, 18),
            maintenance boolean NOT NULL DEFAULT false,
            created_at timestamptz NOT NULL DEFAULT now()
        );

        CREATE TABLE orgs (
            name text PRIMARY KEY,
            credits numeric(38, 18),
            spent_credits numeric(38, 18) NOT NULL DEFAULT 0,
            user_default_credits numeric(38, 18),
            notification_intervals jsonb,
            created_at timestamptz NOT NULL DEFAULT now()
        );

        CREATE TABLE org_clusters (
            cluster_name text NOT NULL REFERENCES clusters ON DELETE CASCADE,
            org_name text NOT NULL REFERENCES orgs ON DELETE CASCADE,
            quota_jobs bigint CHECK (quota_jobs >= 0),
            default_quota_jobs bigint CHECK (default_quota_jobs >= 0),
            default_credits numeric(38, 18),
            default_role text NOT NULL DEFAULT 'user' CHECK (default_role IN ('member', 'user', 'manager', 'admin')),
            storage_size bigint,
            maintenance boolean NOT NULL DEFAULT false,
            created_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (cluster_name, org_name)
        );
        CREATE INDEX org_clusters_org ON org_clusters (org_name);

        CREATE TABLE org_users (
            org_name text NOT NULL REFERENCES orgs ON DELETE CASCADE,
            user_name text NOT NULL REFERENCES users ON DELETE CASCADE,
            role text NOT NULL CHECK (role IN ('user', 'manager', 'admin')),
            credits numeric(38, 18),
            spent_credits numeric(38, 18) NOT NULL DEFAULT 0,
            created_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (org_name, user_name)
        );
        CREATE INDEX org_users_user ON org_users (user_name);

        -- Without an organization: direct membership, of cluster managers and administrators.
        CREATE TABLE cluster_users (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            cluster_name text NOT NULL REFERENCES clusters ON DELETE CASCADE,
            org_name text,
            user_name text NOT NULL REFERENCES users ON DELETE CASCADE,
            role text NOT NULL CHECK (role IN ('member', 'user', 'manager', 'admin')),
            quota_jobs bigint CHECK (quota_jobs >= 0),
            created_at timestamptz NOT NULL DEFAULT now(),
            FOREIGN KEY (cluster_name, org_name) REFERENCES org_clusters ON DELETE CASCADE,
            FOREIGN KEY (org_name, user_name) REFERENCES org_users ON DELETE CASCADE
        );
        CREATE UNIQUE INDEX cluster_users_org ON cluster_users (cluster_name, org_name, user_name) WHERE org_name IS NOT NULL;
        CREATE UNIQUE INDEX cluster_users_direct ON cluster_users (cluster_name, user_name) WHERE org_name IS NULL;
        CREATE INDEX cluster_users_user ON cluster_users (user_name);

        CREATE TABLE projects (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            cluster_name text NOT NULL REFERENCES clusters ON DELETE CASCADE,
            org_name text,
            name text NOT NULL,
            is_default boolean NOT NULL DEFAULT false,
            default_role text NOT NULL DEFAULT 'writer' CHECK (default_role IN ('reader', 'writer', 'manager', 'admin')),
            has_virtual_kube boolean NOT NULL DEFAULT false,
            created_at timestamptz NOT NULL DEFAULT now(),
            FOREIGN KEY (cluster_name, org_name) REFERENCES org_clusters ON DELETE CASCADE
        );
        CREATE UNIQUE INDEX projects_org ON projects (cluster_name, org_name, name) WHERE org_name IS NOT NULL;
        CREATE UNIQUE INDEX projects_direct ON projects (cluster_name, name) WHERE org_name IS NULL;

        CREATE TABLE project_users (
            project_id bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
            user_name text NOT NULL REFERENCES users ON DELETE CASCADE,
            role text NOT NULL CHECK (role IN ('reader', 'writer', 'manager', 'admin')),
            created_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (project_id, user_name)
        );
        CREATE INDEX project_users_user ON project_users (user_name);
        """)
