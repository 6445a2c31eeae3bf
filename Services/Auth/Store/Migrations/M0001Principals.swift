import Postgres

/// Principals and what they hold. Names and URIs are compared by their bytes.
enum M0001Principals {
    static let migration = Migration(
        1, "principals",
        sql: """
            -- Every change of a principal takes the next number while it holds the principal's row, so a later state has a higher one.
            CREATE SEQUENCE acl_versions;

            CREATE TABLE principals (
                name text COLLATE "C" PRIMARY KEY,
                version bigint NOT NULL DEFAULT nextval('acl_versions'),
                -- Tokens issued before (seconds since 1970) belong to an earlier principal of this name.
                valid_from bigint NOT NULL DEFAULT 0,
                builtin boolean NOT NULL DEFAULT false,
                created_at timestamptz NOT NULL DEFAULT now()
            );

            -- Names that were given back: whoever takes one starts with nothing, not even with old tokens.
            CREATE TABLE deleted_principals (
                name text COLLATE "C" PRIMARY KEY,
                version bigint NOT NULL,
                deleted_at timestamptz NOT NULL DEFAULT now()
            );

            CREATE TABLE grants (
                principal text COLLATE "C" NOT NULL REFERENCES principals (name) ON DELETE CASCADE,
                -- Canonical; the segments are decoded, authority first.
                uri text COLLATE "C" NOT NULL,
                scheme text COLLATE "C" NOT NULL,
                segments text[] COLLATE "C" NOT NULL,
                action smallint NOT NULL CHECK (action BETWEEN 2 AND 4),
                -- What every principal holds on itself.
                implicit boolean NOT NULL DEFAULT false,
                -- The principal that a role:// grant makes a member of.
                role text COLLATE "C",
                created_at timestamptz NOT NULL DEFAULT now(),
                PRIMARY KEY (principal, uri)
            );
            CREATE INDEX grants_uri ON grants (uri);
            CREATE INDEX grants_scheme ON grants (scheme);

            -- Principals whose change has yet to reach Redis.
            CREATE TABLE acl_outbox (
                id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                principal text COLLATE "C" NOT NULL,
                version bigint NOT NULL,
                created_at timestamptz NOT NULL DEFAULT now()
            );
            """)
}
