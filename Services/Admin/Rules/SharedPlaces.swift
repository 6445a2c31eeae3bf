import PlatformModel

/// What is in `job://{cluster}/{name}`: an organization's projects, or a project without an organization. Never both, or the one would hold
/// what is the other's.
enum SharedPlaces {
    /// Until the end of the transaction nobody else takes the place.
    static func reserve(_ name: String, in cluster: ClusterName, on db: some Database) async throws {
        _ = try await db.query("SELECT pg_advisory_xact_lock(hashtextextended(\("place \(cluster)/\(name)"), 0))")
    }

    static func isProject(_ name: String, in cluster: ClusterName, on db: some Database) async throws -> Bool {
        try await !db.query(
            "SELECT 1 FROM projects WHERE cluster_name = \(cluster.text) AND name = \(name) AND org_name IS NULL"
        ).isEmpty
    }

    static func isOrg(_ name: String, on db: some Database) async throws -> Bool {
        try await !db.query("SELECT 1 FROM orgs WHERE name = \(name)").isEmpty
    }
}
