import PlatformClients
import PlatformModel
import Postgres

/// Memberships in clusters.
enum ClusterUserQueries {
    /// The balance shown is the one in the organization.
    static let select: PostgresQuery = """
        SELECT cu.*, ou.credits, coalesce(ou.spent_credits, 0) AS spent_credits, \(UserQueries.infoColumns)
        FROM cluster_users cu JOIN users u ON u.name = cu.user_name
        LEFT JOIN org_users ou ON ou.org_name = cu.org_name AND ou.user_name = cu.user_name
        """

    static func insert(
        _ user: UserName, _ role: ClusterRole, _ quota: Quota, in cluster: ClusterName, org: OrgName?, on db: some Database
    ) async throws {
        try await db.execute(
            """
            INSERT INTO cluster_users (cluster_name, org_name, user_name, role, quota_jobs)
            VALUES (\(cluster.text), \(org?.text), \(user.text), \(role.rawValue), \(quota.totalRunningJobs))
            """)
    }

    static func update(
        _ user: UserName, _ role: ClusterRole, _ quota: Quota, in cluster: ClusterName, org: OrgName?, on db: some Database
    ) async throws -> Bool {
        try await db.execute(
            """
            UPDATE cluster_users SET role = \(role.rawValue), quota_jobs = \(quota.totalRunningJobs) WHERE \(key(user, cluster, org))
            """) == 1
    }

    /// All memberships of the cluster when `org` is nil and `direct` false.
    static func users(
        in cluster: ClusterName, org: OrgName?, info: Bool, on db: some Database
    ) async throws -> [ClusterUser] {
        let filter: PostgresQuery = org.map { "AND cu.org_name = \($0.text)" } ?? ""
        return try await db.query(
            "\(select) WHERE cu.cluster_name = \(cluster.text) \(filter) ORDER BY cu.user_name, cu.org_name NULLS LAST"
        ).map { try clusterUser($0, info: info) }
    }

    static func user(
        _ user: String, in cluster: ClusterName, org: OrgName?, info: Bool = false, on db: some Database
    ) async throws -> ClusterUser? {
        let filter: PostgresQuery = org.map { "cu.org_name = \($0.text)" } ?? "cu.org_name IS NULL"
        return try await db.query(
            "\(select) WHERE cu.cluster_name = \(cluster.text) AND cu.user_name = \(user) AND \(filter)"
        ).first.map { try clusterUser($0, info: info) }
    }

    static func lock(_ user: UserName, in cluster: ClusterName, org: OrgName?, on db: some Database) async throws {
        _ = try await db.query("SELECT id FROM cluster_users WHERE \(key(user, cluster, org)) FOR UPDATE")
    }

    static func delete(_ user: UserName, in cluster: ClusterName, org: OrgName?, on db: some Database) async throws -> Bool {
        try await db.execute("DELETE FROM cluster_users WHERE \(key(user, cluster, org))") == 1
    }

    /// Adds `delta` to a limited quota, or sets it; false when there is no such membership.
    static func setQuota(
        _ quota: Quota?, adding delta: Int?, user: UserName, in cluster: ClusterName, org: OrgName?, on db: some Database
    ) async throws -> Bool {
        let value: PostgresQuery = delta.map { "quota_jobs + \($0)" } ?? "\(quota?.totalRunningJobs)"
        return try await db.execute("UPDATE cluster_users SET quota_jobs = \(value) WHERE \(key(user, cluster, org))") == 1
    }

    private static func key(_ user: UserName, _ cluster: ClusterName, _ org: OrgName?) -> PostgresQuery {
        let filter: PostgresQuery = org.map { "org_name = \($0.text)" } ?? "org_name IS NULL"
        return "cluster_name = \(cluster.text) AND user_name = \(user.text) AND \(filter)"
    }

    static func clusterUser(_ row: PostgresRow, info: Bool) throws -> ClusterUser {
        ClusterUser(
            userName: try row.get("user_name"), clusterName: try row.name("cluster_name"), role: try row.get("role"),
            orgName: try row.nameIfPresent("org_name"), quota: Quota(totalRunningJobs: try row.get("quota_jobs")),
            balance: try OrgQueries.balance(row), userInfo: info ? try UserQueries.info(row) : nil)
    }
}
