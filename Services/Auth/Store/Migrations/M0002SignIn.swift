import Postgres

/// People's accounts and everything that signing in leaves behind. Codes, sessions, refresh tokens and invitations are stored hashed.
enum M0002SignIn {
    static let migration = Migration(
        2, "sign-in",
        sql: """
            CREATE TABLE accounts (
                principal text COLLATE "C" PRIMARY KEY REFERENCES principals (name) ON DELETE CASCADE,
                -- What OpenID Connect calls the subject: never given to another account, whatever its name.
                subject uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
                -- In lower case.
                email text COLLATE "C" UNIQUE,
                -- A record with its own parameters; null: signs in through a provider, or not yet.
                password text COLLATE "C",
                password_changed_at timestamptz,
                last_sign_in_at timestamptz,
                created_at timestamptz NOT NULL DEFAULT now()
            );

            -- Who an account is at other OpenID providers.
            CREATE TABLE identities (
                issuer text COLLATE "C" NOT NULL,
                subject text COLLATE "C" NOT NULL,
                principal text COLLATE "C" NOT NULL REFERENCES accounts (principal) ON DELETE CASCADE,
                created_at timestamptz NOT NULL DEFAULT now(),
                PRIMARY KEY (issuer, subject),
                -- An e-mail address that was given to another person there does not give them this account too.
                UNIQUE (issuer, principal)
            );
            CREATE INDEX identities_principal ON identities (principal);

            CREATE TABLE invitations (
                hash text COLLATE "C" PRIMARY KEY,
                principal text COLLATE "C" NOT NULL REFERENCES principals (name) ON DELETE CASCADE,
                email text COLLATE "C",
                invited_by text COLLATE "C" NOT NULL,
                created_at timestamptz NOT NULL DEFAULT now(),
                expires_at timestamptz NOT NULL
            );
            CREATE INDEX invitations_principal ON invitations (principal);

            -- Attempts by account and by source address; what blocks the next one.
            CREATE TABLE sign_in_attempts (
                key text COLLATE "C" PRIMARY KEY,
                failures int NOT NULL DEFAULT 0,
                last_at timestamptz NOT NULL DEFAULT now(),
                blocked_until timestamptz
            );

            CREATE TABLE sessions (
                hash text COLLATE "C" PRIMARY KEY,
                principal text COLLATE "C" NOT NULL REFERENCES principals (name) ON DELETE CASCADE,
                -- Null: the local password.
                provider text COLLATE "C",
                source text COLLATE "C",
                signed_in_at timestamptz NOT NULL DEFAULT now(),
                expires_at timestamptz NOT NULL
            );
            CREATE INDEX sessions_principal ON sessions (principal);

            CREATE TABLE authorization_codes (
                hash text COLLATE "C" PRIMARY KEY,
                -- Names everything that came of this sign-in of a client.
                grant_id uuid NOT NULL,
                principal text COLLATE "C" NOT NULL REFERENCES principals (name) ON DELETE CASCADE,
                session text COLLATE "C" NOT NULL,
                client text COLLATE "C" NOT NULL,
                redirect_uri text COLLATE "C" NOT NULL,
                challenge text COLLATE "C" NOT NULL,
                audience text COLLATE "C" NOT NULL,
                scope text COLLATE "C" NOT NULL,
                nonce text COLLATE "C",
                signed_in_at timestamptz NOT NULL,
                expires_at timestamptz NOT NULL,
                used_at timestamptz
            );
            CREATE INDEX authorization_codes_principal ON authorization_codes (principal);
            CREATE INDEX authorization_codes_session ON authorization_codes (session);

            CREATE TABLE refresh_tokens (
                hash text COLLATE "C" PRIMARY KEY,
                grant_id uuid NOT NULL,
                principal text COLLATE "C" NOT NULL REFERENCES principals (name) ON DELETE CASCADE,
                session text COLLATE "C" NOT NULL,
                client text COLLATE "C" NOT NULL,
                audience text COLLATE "C" NOT NULL,
                scope text COLLATE "C" NOT NULL,
                signed_in_at timestamptz NOT NULL,
                created_at timestamptz NOT NULL DEFAULT now(),
                last_used_at timestamptz NOT NULL DEFAULT now()
            );
            CREATE INDEX refresh_tokens_principal ON refresh_tokens (principal);
            CREATE INDEX refresh_tokens_grant ON refresh_tokens (grant_id);
            CREATE INDEX refresh_tokens_session ON refresh_tokens (session);

            -- People who were sent to another provider and are expected back.
            CREATE TABLE brokered_sign_ins (
                state text COLLATE "C" PRIMARY KEY,
                provider text COLLATE "C" NOT NULL,
                return_to text COLLATE "C" NOT NULL,
                expires_at timestamptz NOT NULL
            );

            CREATE TABLE service_accounts (
                id text COLLATE "C" PRIMARY KEY,
                name text COLLATE "C",
                owner text COLLATE "C" NOT NULL REFERENCES principals (name) ON DELETE CASCADE,
                role text COLLATE "C" NOT NULL,
                default_cluster text NOT NULL,
                default_org text,
                default_project text NOT NULL,
                created_at timestamptz NOT NULL DEFAULT now(),
                CONSTRAINT service_accounts_name UNIQUE (owner, name)
            );

            -- When a signing key was first seen by any replica: it signs once all of them publish it.
            CREATE TABLE signing_keys (
                id text COLLATE "C" PRIMARY KEY,
                first_seen_at timestamptz NOT NULL DEFAULT now()
            );
            """)
}
