import Postgres

extension Migrations {
    /// Credentials leave the document for a column of their own, sealed (``CredentialsSeal``). What older releases wrote into documents is
    /// moved at each start by ``ClusterStore/sealAll()``; those releases still run on this schema.
    static let m0002SealedCredentials = Migration(
        2, "sealed credentials",
        sql: """
            ALTER TABLE clusters ADD COLUMN credentials text;
            -- When the cluster got a token of its own; null while it has none.
            ALTER TABLE clusters ADD COLUMN token_at timestamptz(6);
            """)
}
