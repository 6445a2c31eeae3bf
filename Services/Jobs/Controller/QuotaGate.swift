import PlatformClients
import PlatformModel
import Postgres

/// Holds back jobs that wait for a place under a quota of running jobs, oldest first (jobs-orchestration.md 8.1).
struct QuotaGate: Sendable {
    struct Limits: Hashable, Sendable {
        var user: Int?
        var org: Int?
    }

    let store: JobStore
    let limits: @Sendable (JobRecord) async throws -> Limits

    /// Limits as admin-api has them; whoever is no member may run nothing.
    static func limits(of admin: AdminClient) -> @Sendable (JobRecord) async throws -> Limits {
        { job in
            let (cluster, org) = (try ClusterName(job.cluster), try OrgName(job.org))
            async let user = admin.clusterUser(cluster, org, try PrincipalName(job.baseOwner))
            async let whole = admin.orgCluster(cluster, org)
            let (member, share) = (try await user, try await whole)
            return Limits(
                user: member.map { $0.quota?.totalRunningJobs } ?? 0, org: share.map { $0.quota?.totalRunningJobs } ?? 0)
        }
    }

    func admits(_ job: JobRecord) async throws -> Bool {
        guard job.spec.waitsForQuota else { return true }
        let limits = try await limits(job)
        if let limit = limits.user, try await store.ahead(of: job, byUser: true) >= limit { return false }
        if let limit = limits.org, try await store.ahead(of: job, byUser: false) >= limit { return false }
        return true
    }
}

extension JobStore {
    /// How many active jobs of the same user or of the same org have a place, or get one before this job: those in the cluster, and older ones
    /// of the user. (Another user's older job may itself be held back by that user's quota, so it does not count.)
    fileprivate func ahead(of job: JobRecord, byUser: Bool) async throws -> Int {
        let scope: PostgresQuery =
            byUser
            ? "base_owner = \(job.baseOwner) AND (materialized OR (created_at, id) < (\(job.history.createdAt.date), \(job.id.text)))"
            : "materialized"
        return try await pool.query(
            """
            SELECT count(*) AS jobs FROM jobs
            WHERE status IN ('pending', 'suspended', 'running') AND cluster_name = \(job.cluster) AND org_name = \(job.org)
                AND id <> \(job.id.text) AND \(scope)
            """
        ).first?.get("jobs") ?? 0
    }
}
