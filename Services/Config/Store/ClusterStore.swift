import PlatformModel
import Postgres
import ServiceKit

/// The clusters in Postgres. Every change raises the generation, and tells all replicas (channel ``channel``) when it is committed.
struct ClusterStore: Sendable {
    static let channel = "clusters"

    let pool: PostgresPool
    let seal: CredentialsSeal

    /// In the order of creation.
    func all() async throws -> [StoredCluster] {
        try await pool.query("SELECT document, credentials, generation FROM clusters ORDER BY created_at, name").map(read)
    }

    func cluster(_ name: ClusterName) async throws -> StoredCluster? {
        try await pool.query("SELECT document, credentials, generation FROM clusters WHERE name = \(name.text)").first.map(read)
    }

    /// The clusters that have no token of their own yet.
    func withoutToken() async throws -> [ClusterName] {
        try await pool.query("SELECT name FROM clusters WHERE token_at IS NULL ORDER BY created_at, name").map {
            try ClusterName($0.get("name"))
        }
    }

    /// False if the name is taken.
    /// - Throws: 400 when another cluster has the DNS name.
    func insert(_ document: ClusterDocument) async throws -> Bool {
        var bare = document
        bare.credentials = nil
        let sealed = try document.credentials.map { try seal.close($0, of: document.name) }
        return try await pool.transaction { connection in
            let inserted = try await connection.execute(
                """
                INSERT INTO clusters (name, document, credentials, token_at)
                VALUES (\(document.name.text), \(PostgresJSON(bare)), \(sealed),
                        CASE WHEN \(document.hasToken) THEN now() END)
                ON CONFLICT (name) DO NOTHING
                """)
            guard inserted == 1 else { return false }
            try await requireFree(document.dns, of: document.name, on: connection)
            try await announce(document.name, on: connection)
            return true
        }
    }

    /// Changes a document, credentials included, while its row is locked, so that no concurrent change is lost. A change that changes
    /// nothing is none: no new generation, and nobody is told. Whatever `change` throws leaves all as it was.
    /// - Returns: the cluster before and after; nil if there is none.
    func update(
        _ name: ClusterName, _ change: (inout ClusterDocument) async throws -> Void
    ) async throws -> (before: ClusterDocument, after: StoredCluster)? {
        try await pool.transaction { connection in
            guard let stored = try await locked(name, on: connection) else { return nil }
            let before = try stored.whole()
            var after = before
            try await change(&after)
            guard after != before else { return (before, stored) }
            if after.dns.name != before.dns.name { try await requireFree(after.dns, of: name, on: connection) }
            let rows = try await write(after, raisingGeneration: true, on: connection)
            try await announce(name, on: connection)
            return try rows.first.map { (before, try read($0)) }
        }
    }

    /// False if there was none. `revoke` runs while the row is locked; what it throws leaves the cluster there.
    func delete(_ name: ClusterName, revoke: () async throws -> Void) async throws -> Bool {
        try await pool.transaction { connection in
            guard try await locked(name, on: connection) != nil else { return false }
            try await revoke()
            try await connection.execute("DELETE FROM clusters WHERE name = \(name.text)")
            try await announce(name, on: connection)
            return true
        }
    }

    /// Seals what an older release left in documents, and what an older key has sealed. The clusters it touched.
    /// - Throws: ``SealError`` for credentials of which the key is missing.
    func sealAll() async throws -> [ClusterName] {
        let names = try await pool.query(
            """
            SELECT name FROM clusters
            WHERE document ? 'credentials' OR (credentials IS NOT NULL AND NOT starts_with(credentials, \(seal.prefix))) ORDER BY name
            """
        ).map { try ClusterName($0.get("name")) }
        for name in names {
            try await pool.transaction { connection in
                guard let stored = try await locked(name, on: connection), !stored.isSealed else { return }
                _ = try await write(stored.whole(), raisingGeneration: false, on: connection)
            }
        }
        return names
    }

    private func locked(_ name: ClusterName, on connection: PostgresConnection) async throws -> StoredCluster? {
        try await connection.query("SELECT document, credentials, generation FROM clusters WHERE name = \(name.text) FOR UPDATE").first.map(
            read)
    }

    private func write(
        _ document: ClusterDocument, raisingGeneration: Bool, on connection: PostgresConnection
    ) async throws -> [PostgresRow] {
        var bare = document
        bare.credentials = nil
        return try await connection.query(
            """
            UPDATE clusters SET document = \(PostgresJSON(bare)),
                credentials = \(try document.credentials.map { try seal.close($0, of: document.name) }),
                token_at = CASE WHEN \(document.hasToken) THEN coalesce(token_at, now()) END,
                generation = generation + \(raisingGeneration ? 1 : 0), changed_at = now()
            WHERE name = \(document.name.text) RETURNING document, credentials, generation
            """)
    }

    /// No cluster may claim the hosts of another: their zones neither are equal nor lie one within the other, and templates that one left in
    /// a zone it gave up keep that zone from others.
    private func requireFree(_ dns: DNSSection, of name: ClusterName, on connection: PostgresConnection) async throws {
        guard dns.name != DNSSection.none else { return }
        let zone = "." + dns.name.lowercased()
        // Two that take zones at the same time would not see one another.
        _ = try await connection.query("SELECT pg_advisory_xact_lock(hashtext('config-api zones'))")
        let others = try await connection.query(
            """
            SELECT 1 AS taken
            FROM clusters, LATERAL (
                SELECT document->'dns'->>'name' UNION ALL SELECT document->'orchestrator'->>'job_hostname_template'
                UNION ALL SELECT jsonb_array_elements_text(document->'apps'->'apps_hostname_templates')
            ) AS hosts(host), LATERAL (SELECT '.' || lower(split_part(host, ':', 1))) AS zones(zone)
            WHERE name <> \(name.text) AND zone <> \("." + DNSSection.none)
                AND (right(zone, length(\(zone))) = \(zone) OR right(\(zone), length(zone)) = zone)
            LIMIT 1
            """)
        // Another cluster's name is not told: the caller need not know that it is there.
        guard others.isEmpty else { throw PlatformError.badRequest("dns.name: '\(dns.name)' overlaps with the zone of another cluster") }
    }

    private func announce(_ name: ClusterName, on connection: PostgresConnection) async throws {
        _ = try await connection.query("SELECT pg_notify(\(Self.channel), \(name.text))")
    }

    private func read(_ row: PostgresRow) throws -> StoredCluster {
        StoredCluster(
            try row.json("document"), sealed: try row.get("credentials"), generation: try row.get("generation"), seal: seal)
    }
}
