import PlatformClients
import PlatformModel
import Postgres
import ServiceKit

extension Directory {
    /// Sets or adds to the number of jobs an organization may run in a cluster.
    func changeQuota(
        of org: OrgName, in cluster: ClusterName, _ request: QuotaChange, key: IdempotencyKey?, as caller: Caller
    ) async throws -> OrgCluster {
        try await auth.require(Permission(AdminURIs.org(org, in: cluster), .write), as: caller)
        return try await transaction { db in
            let isNew = try await IdempotencyKey.isNew(key, on: db)
            let old = try await locked(org, in: cluster, on: db)
            guard isNew else { return old }
            let value: PostgresQuery = request.additional.map { "quota_jobs + \($0)" } ?? "\(request.quota?.totalRunningJobs)"
            try await db.execute(
                "UPDATE org_clusters SET quota_jobs = \(value) WHERE cluster_name = \(cluster.text) AND org_name = \(org.text)")
            let new = try await presence(of: org, in: cluster, on: db)
            try await AuditLog.record(
                .quota, AuditTarget.presence(org.text, in: cluster.text), by: caller, old: old.quota, new: new.quota, key: key, on: db)
            return new
        }
    }

    /// Sets or adds to the balance of the organization, which is one wherever it is seen.
    func changeBalance(
        of org: OrgName, in cluster: ClusterName, _ request: BalanceChange, key: IdempotencyKey?, as caller: Caller
    ) async throws -> OrgCluster {
        try await auth.require(Permission(AdminURIs.org(org, in: cluster), .write), as: caller)
        try await requireProviding(for: org, and: cluster, as: caller)
        return try await transaction { db in
            _ = try await presence(of: org, in: cluster, on: db)
            _ = try await apply(.change(request), to: org, key: key, as: caller, on: db)
            return try await presence(of: org, in: cluster, on: db)
        }
    }

    /// What new members of the organization get in the cluster.
    func changeDefaults(
        of org: OrgName, in cluster: ClusterName, _ request: OrgClusterDefaults, as caller: Caller
    ) async throws -> OrgCluster {
        let role = request.role ?? .user
        try await requireDefaults(role, of: org, in: cluster, Permission(AdminURIs.org(org, in: cluster, "defaults"), .write), as: caller)
        return try await transaction { db in
            let old = try await locked(org, in: cluster, on: db)
            try await db.execute(
                """
                UPDATE org_clusters SET default_quota_jobs = \(request.quota?.totalRunningJobs), default_credits = \(request.credits?.value),
                    default_role = \(role.rawValue)
                WHERE cluster_name = \(cluster.text) AND org_name = \(org.text)
                """)
            let new = try await presence(of: org, in: cluster, on: db)
            try await AuditLog.record(
                .defaults, AuditTarget.presence(org.text, in: cluster.text), by: caller, old: old, new: new, on: db)
            return new
        }
    }

    /// A default role is given to people: nobody may set one above his own.
    func requireDefaults(
        _ role: ClusterRole, of org: OrgName, in cluster: ClusterName, _ permission: Permission, as caller: Caller
    ) async throws {
        var needed = [[permission]]
        if role == .admin { needed.append([Permission(AdminURIs.org(org, in: cluster, "projects"), .manage)]) }
        try await auth.require(needed, as: caller)
    }

    /// Locks the row, so that what the audit log calls old is what was replaced.
    func locked(_ org: OrgName, in cluster: ClusterName, on db: PostgresConnection) async throws -> OrgCluster {
        _ = try await db.query(
            "SELECT 1 FROM org_clusters WHERE cluster_name = \(cluster.text) AND org_name = \(org.text) FOR UPDATE")
        return try await presence(of: org, in: cluster, on: db)
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
