import PlatformClients
import PlatformModel
import Postgres
import ServiceKit

extension Directory {
    /// Sets or adds to the balance of an organization. Unlimited plus anything stays unlimited.
    func changeBalance(of org: OrgName, _ request: BalanceChange, key: IdempotencyKey?, as caller: Caller) async throws -> Org {
        let clusters = try await ClusterQueries.clusters(of: org, on: pool).compactMap(\.clusterName)
        let hosts = clusters.map { Permission(AdminURIs.cluster($0), .write) }
        try await auth.require([hosts + [Permission(ResourceURI(.cluster), .manage)]], as: caller)
        return try await pool.transaction { db in
            if try await IdempotencyKey.isNew(key, on: db) {
                try await db.execute("UPDATE orgs SET credits = \(Self.credits(request)) WHERE name = \(org.text)")
            }
            guard let stored = try await OrgQueries.org(org, on: db) else { throw Missing.org(org) }
            return stored
        }
    }

    /// As above for a member.
    func changeBalance(
        of user: UserName, in org: OrgName, _ request: BalanceChange, key: IdempotencyKey?, info: Bool, as caller: Caller
    ) async throws -> OrgUser {
        try await auth.require(Permission(AdminURIs.org(org, "users"), .write), as: caller)
        return try await pool.transaction { db in
            if try await IdempotencyKey.isNew(key, on: db) {
                try await db.execute(
                    """
                    UPDATE org_users SET credits = \(Self.credits(request)) WHERE org_name = \(org.text) AND user_name = \(user.text)
                    """)
            }
            guard let stored = try await OrgQueries.user(user.text, in: org, info: info, on: db) else {
                throw Missing.user(user.text, in: org)
            }
            return stored
        }
    }

    /// Sets or adds to the number of jobs an organization may run in a cluster.
    func changeQuota(
        of org: OrgName, in cluster: ClusterName, _ request: QuotaChange, key: IdempotencyKey?, as caller: Caller
    ) async throws -> OrgCluster {
        try await auth.require(Permission(AdminURIs.org(org, in: cluster), .write), as: caller)
        return try await pool.transaction { db in
            if try await IdempotencyKey.isNew(key, on: db) {
                let value: PostgresQuery = request.additional.map { "quota_jobs + \($0)" } ?? "\(request.quota?.totalRunningJobs)"
                try await notNegative {
                    try await db.execute(
                        "UPDATE org_clusters SET quota_jobs = \(value) WHERE cluster_name = \(cluster.text) AND org_name = \(org.text)")
                }
            }
            return try await presence(of: org, in: cluster, on: db)
        }
    }

    /// What new members of the organization get in the cluster.
    func changeDefaults(
        of org: OrgName, in cluster: ClusterName, _ request: OrgClusterDefaults, as caller: Caller
    ) async throws -> OrgCluster {
        try await auth.require(Permission(AdminURIs.org(org, in: cluster, "defaults"), .write), as: caller)
        try await notNegative {
            try await pool.execute(
                """
                UPDATE org_clusters SET default_quota_jobs = \(request.quota?.totalRunningJobs), default_credits = \(request.credits?.value),
                    default_role = \((request.role ?? .user).rawValue)
                WHERE cluster_name = \(cluster.text) AND org_name = \(org.text)
                """)
        }
        return try await presence(of: org, in: cluster, on: pool)
    }

    private static func credits(_ request: BalanceChange) -> PostgresQuery {
        if let additional = request.additional { return "credits + \(additional.value)" }
        return "\((request.credits ?? nil)?.value)"
    }
}

/// The body of `PATCH clusters/{c}/orgs/{o}/defaults`; the short keys mean the defaults.
struct OrgClusterDefaults: Decodable, Sendable {
    let quota: Quota?
    let credits: Money?
    let role: ClusterRole?

    private enum CodingKeys: String, CodingKey {
        case quota, credits
        case role = "default_role"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        quota = try container.decodeIfPresent(Quota.self, forKey: .quota)
        credits = try container.decodeMoneyIfPresent(forKey: .credits)
        role = try container.decodeIfPresent(ClusterRole.self, forKey: .role)
    }
}
