import PlatformClients
import PlatformModel
import Postgres

/// Clusters, and organizations in them.
enum ClusterQueries {
    static func insert(_ cluster: AdminCluster, on db: some Database) async throws {
        try await db.execute(
            """
            INSERT INTO clusters (name, default_role, default_quota_jobs, default_credits, maintenance)
            VALUES (\(cluster.name.text), \(cluster.defaultRole.rawValue), \(cluster.defaultQuota?.totalRunningJobs),
                \(cluster.defaultCredits?.value), \(cluster.maintenance))
            """)
    }

    static func update(_ cluster: AdminCluster, on db: some Database) async throws -> Bool {
        try await db.execute(
            """
            UPDATE clusters SET default_role = \(cluster.defaultRole.rawValue), default_quota_jobs = \(cluster.defaultQuota?.totalRunningJobs),
                default_credits = \(cluster.defaultCredits?.value), maintenance = \(cluster.maintenance)
            WHERE name = \(cluster.name.text)
            """) == 1
    }

    static func all(on db: some Database) async throws -> [AdminCluster] {
        try await db.query("SELECT * FROM clusters ORDER BY name").map(cluster)
    }

    static func cluster(_ name: ClusterName, on db: some Database) async throws -> AdminCluster? {
        try await db.query("SELECT * FROM clusters WHERE name = \(name.text)").first.map(cluster)
    }

    static func delete(_ name: ClusterName, on db: some Database) async throws {
        try await db.execute("DELETE FROM clusters WHERE name = \(name.text)")
    }

    private static func cluster(_ row: PostgresRow) throws -> AdminCluster {
        let quota = try row.get("default_quota_jobs", as: Int?.self)
        return AdminCluster(
            name: try row.name("name"), defaultRole: try row.get("default_role"), defaultQuota: quota.map(Quota.init),
            defaultCredits: try row.money("default_credits"), maintenance: try row.get("maintenance"))
    }
}

extension ClusterQueries {
    /// The balance shown is the organization's: one consumption is charged once, wherever it happened.
    private static let selectOrgs: PostgresQuery = """
        SELECT oc.*, o.credits, o.spent_credits FROM org_clusters oc JOIN orgs o ON o.name = oc.org_name
        """

    static func insert(_ org: OrgCluster, in cluster: ClusterName, on db: some Database) async throws {
        try await db.execute(
            """
            INSERT INTO org_clusters
                (cluster_name, org_name, quota_jobs, default_quota_jobs, default_credits, default_role, storage_size, maintenance)
            VALUES (\(cluster.text), \(org.orgName.text), \(org.quota?.totalRunningJobs), \(org.defaultQuota?.totalRunningJobs),
                \(org.defaultCredits?.value), \(org.defaultRole.rawValue), \(org.storageSize), \(org.maintenance))
            """)
    }

    /// Replaces all but the storage size, which the client does not send.
    static func update(_ org: OrgCluster, in cluster: ClusterName, on db: some Database) async throws -> Bool {
        try await db.execute(
            """
            UPDATE org_clusters SET quota_jobs = \(org.quota?.totalRunningJobs), default_quota_jobs = \(org.defaultQuota?.totalRunningJobs),
                default_credits = \(org.defaultCredits?.value), default_role = \(org.defaultRole.rawValue),
                storage_size = coalesce(\(org.storageSize), storage_size), maintenance = \(org.maintenance)
            WHERE cluster_name = \(cluster.text) AND org_name = \(org.orgName.text)
            """) == 1
    }

    static func orgs(in cluster: ClusterName, on db: some Database) async throws -> [OrgCluster] {
        try await db.query("\(selectOrgs) WHERE oc.cluster_name = \(cluster.text) ORDER BY oc.org_name").map(orgCluster)
    }

    static func org(_ org: OrgName, in cluster: ClusterName, on db: some Database) async throws -> OrgCluster? {
        try await db.query("\(selectOrgs) WHERE oc.cluster_name = \(cluster.text) AND oc.org_name = \(org.text)").first.map(orgCluster)
    }

    static func clusters(of org: OrgName, on db: some Database) async throws -> [OrgCluster] {
        try await db.query("\(selectOrgs) WHERE oc.org_name = \(org.text) ORDER BY oc.cluster_name").map(orgCluster)
    }

    static func delete(_ org: OrgName, from cluster: ClusterName, on db: some Database) async throws {
        try await db.execute("DELETE FROM org_clusters WHERE cluster_name = \(cluster.text) AND org_name = \(org.text)")
    }

    private static func orgCluster(_ row: PostgresRow) throws -> OrgCluster {
        OrgCluster(
            clusterName: try row.name("cluster_name"), orgName: try row.name("org_name"),
            quota: Quota(totalRunningJobs: try row.get("quota_jobs")), balance: try OrgQueries.balance(row),
            defaultQuota: Quota(totalRunningJobs: try row.get("default_quota_jobs")), defaultCredits: try row.money("default_credits"),
            defaultRole: try row.get("default_role"), storageSize: try row.get("storage_size"), maintenance: try row.get("maintenance"))
    }
}
