import PlatformClients
import PlatformModel
import ServiceKit

/// Where a user may create jobs, as admin-api lists it, in its order.
struct JobMemberships: Sendable {
    struct Cluster: Sendable {
        let name: String
        /// Empty for a membership without an org.
        var orgs: [String]
    }

    private(set) var clusters: [Cluster] = []

    init(_ memberships: [ClusterUser]) {
        for membership in memberships {
            guard let name = membership.clusterName?.text else { continue }
            let org = membership.orgName.map { [$0.text] } ?? []
            if let index = clusters.firstIndex(where: { $0.name == name }) {
                clusters[index].orgs += org
            } else {
                clusters.append(Cluster(name: name, orgs: org))
            }
        }
    }

    /// Fills in what the request left out and refuses what the user does not belong to, in the order that decides which refusal wins
    /// (jobs-api.md 5.2, steps 3 to 6).
    /// - Throws: 403, or 400 for a name that is none.
    func scope(of body: OrderedJSON, owner: String) throws -> JobScope {
        let notMember = PlatformError.forbidden(
            "User is not allowed to submit jobs to the specified cluster as a member of given organization")
        guard let first = clusters.first else { throw PlatformError.forbidden("No clusters") }
        let cluster: Cluster
        if case .string(let name)? = body["cluster_name"] {
            guard let found = clusters.first(where: { $0.name == name }) else {
                throw PlatformError.forbidden("User is not allowed to submit jobs to the specified cluster")
            }
            if found.orgs.isEmpty { throw notMember }
            cluster = found
        } else {
            if first.orgs.isEmpty { throw PlatformError.forbidden("User must have at least one org") }
            cluster = first
        }
        // Only the three names are looked at; the rest of the body has its turn later.
        var fields = try Fields(of: body)
        let clusterName = fields.optional("cluster_name", Check.entityName)
        let org = fields.optional("org_name", Check.entityName)
        let project = fields.optional("project_name", Check.entityName)
        try fields.finishKnown()
        let scope = JobScope(
            cluster: clusterName ?? cluster.name, org: org ?? cluster.orgs[0], project: project ?? JobRecord.base(of: owner))
        guard cluster.orgs.contains(scope.org) else { throw notMember }
        return scope
    }
}

extension Fields {
    /// Throws what was wrong with the fields that were read, and does not mind others.
    func finishKnown() throws(Problem) {
        if !problems.isEmpty { throw .members(problems) }
    }
}
