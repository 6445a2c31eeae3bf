import PlatformClients
import PlatformModel

/// Cancels the active jobs of users and orgs that are out of credits or lost their membership (jobs-api.md 17.2). Unlimited credits never
/// cancel; an error while asking leaves the jobs alone for this round.
struct CreditPolicy: Sendable {
    let policies: JobPolicies

    private struct Place: Hashable {
        let cluster: String
        let org: String
    }

    func run() async throws {
        let jobs = try await policies.store.active()
        for (owner, jobs) in Dictionary(grouping: jobs, by: \.baseOwner) {
            // An unknown user is an error of the asking here, not the end of the user's jobs.
            guard let name = try? PrincipalName(owner), let user = try? await policies.admin.user(name) else { continue }
            for (place, jobs) in Dictionary(grouping: jobs, by: { Place(cluster: $0.cluster, org: $0.org) }) {
                let entry = (user.clusters ?? []).first { $0.clusterName?.text == place.cluster && $0.orgName?.text == place.org }
                if entry == nil || entry?.balance?.isExhausted == true { await cancel(jobs) }
            }
        }
        for (place, jobs) in Dictionary(grouping: jobs, by: { Place(cluster: $0.cluster, org: $0.org) }) {
            guard let cluster = try? ClusterName(place.cluster), let org = try? OrgName(place.org) else { continue }
            do {
                let entry = try await policies.admin.orgCluster(cluster, org)
                if entry == nil || entry?.balance?.isExhausted == true { await cancel(jobs) }
            } catch {
                policies.logger.warning("An org's credits are not known this round", metadata: ["org": "\(org)", "error": "\(error)"])
            }
        }
    }

    private func cancel(_ jobs: [JobRecord]) async {
        for job in jobs { await policies.apply([.cancelled(reason: JobStatusReason.quotaExhausted)], to: job.id) }
    }
}
