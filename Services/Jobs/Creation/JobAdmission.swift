import PlatformClients
import PlatformModel
import ServiceKit

/// Whether one more job may be created: running-jobs quotas, then credits, of the user and of the org (jobs-api.md 16.1, 16.2).
struct JobAdmission: Sendable {
    let store: JobStore
    let admin: AdminClient

    /// - Parameter waits: a job that waits for quota is not counted here; the scheduler admits it.
    /// - Returns: the quotas, which the insert checks once more in its own transaction.
    /// - Throws: 400 with the first limit that is reached.
    func check(_ scope: JobScope, owner: PrincipalName, membership: AdminUser?, waits: Bool) async throws -> [JobQuota] {
        let cluster = try ClusterName(scope.cluster)
        let org = try OrgName(scope.org)
        async let orgCluster = admin.orgCluster(cluster, org)
        async let orgItself = admin.org(org)
        let user = owner.base.text

        var quotas: [JobQuota] = []
        if !waits {
            let entry = membership?.clusters?.first { $0.clusterName == cluster && $0.orgName == org }
            if let limit = entry?.quota?.totalRunningJobs { quotas.append(JobQuota(scope: .user(user), limit: limit)) }
            if let limit = try await orgCluster?.quota?.totalRunningJobs { quotas.append(JobQuota(scope: .org(scope.org), limit: limit)) }
        }
        for quota in quotas {
            let count =
                switch quota.scope {
                case .user(let name): try await store.countActive(cluster: scope.cluster, owner: name)
                case .org(let name): try await store.countActive(cluster: scope.cluster, org: name)
                }
            guard count < quota.limit else { throw JobStoreError.quotaExceeded(quota.scope) }
        }
        if membership?.orgs?.first(where: { $0.orgName == org })?.balance?.isExhausted == true {
            throw PlatformError.badRequest("No credits left for user '\(user)'")
        }
        if try await orgItself?.balance?.isExhausted == true {
            throw PlatformError.badRequest("No credits left for org '\(scope.org)'")
        }
        return quotas
    }
}
