import Identity
import PlatformClients
import PlatformModel
import ServiceKit

extension Directory {
    /// The organizations in a cluster that the caller may use it for, or all that the caller may see.
    func orgs(in cluster: ClusterName, as caller: Caller) async throws -> [OrgCluster] {
        let tree = try await auth.tree(AdminURIs.cluster(cluster), as: caller)
        return try await ClusterQueries.orgs(in: cluster, on: pool).filter {
            tree.action(on: AdminURIs.org($0.orgName, in: cluster, "access")) >= .read
        }
    }

    func org(_ org: OrgName, in cluster: ClusterName, as caller: Caller) async throws -> OrgCluster {
        try await auth.require(Permission(AdminURIs.org(org, in: cluster, "access"), .read), as: caller)
        return try await presence(of: org, in: cluster, on: pool)
    }

    /// Adds an organization to a cluster, and all its members with it.
    func addOrg(_ request: OrgCluster, to cluster: ClusterName, as caller: Caller) async throws -> OrgCluster {
        try await auth.require(Permission(AdminURIs.org(request.orgName, in: cluster), .write), as: caller)
        return try await change(touching: ManagedPrincipal.roles(of: request.orgName, in: cluster)) { db in
            guard try await ClusterQueries.cluster(cluster, on: db) != nil else { throw Missing.cluster(cluster) }
            guard try await OrgQueries.org(request.orgName, on: db) != nil else { throw Missing.org(request.orgName) }
            let changed = try await join(request, to: cluster, on: db)
            return (try await presence(of: request.orgName, in: cluster, on: db), changed)
        }
    }

    /// Everything but the storage size is replaced; spending is never taken from a body.
    func updateOrg(_ request: OrgCluster, in cluster: ClusterName, as caller: Caller) async throws -> OrgCluster {
        try await auth.require(Permission(AdminURIs.org(request.orgName, in: cluster), .write), as: caller)
        guard try await ClusterQueries.update(request, in: cluster, on: pool) else { throw Missing.org(request.orgName, in: cluster) }
        return try await presence(of: request.orgName, in: cluster, on: pool)
    }

    /// Removes the organization's projects and members from the cluster; the organization itself stays.
    func removeOrg(_ org: OrgName, from cluster: ClusterName, as caller: Caller) async throws {
        try await auth.require(Permission(AdminURIs.org(org, in: cluster), .write), as: caller)
        try await change { db in
            _ = try await presence(of: org, in: cluster, on: db)
            let changed = try await memberRoles(in: cluster, org: org, on: db)
            let place = ProjectPlace(cluster: cluster, org: org)
            for project in try await ProjectQueries.projects(in: place, on: db) {
                try await announceRemoval(of: project, by: caller, on: db)
            }
            try await ClusterQueries.delete(org, from: cluster, on: db)
            let roles: [ManagedPrincipal] = [.clusterManager(cluster, org), .clusterAdmin(cluster, org), .orgManager(org), .orgAdmin(org)]
            return ((), changed + roles)
        }
    }

    /// Inserts the row and a membership with the defaults for every member of the organization.
    func join(_ request: OrgCluster, to cluster: ClusterName, on db: some Database) async throws -> [ManagedPrincipal] {
        let org = request.orgName
        try await refusing(duplicate: "Org '\(org)' already exists in cluster '\(cluster)'") {
            try await ClusterQueries.insert(request, in: cluster, on: db)
        }
        var changed = ManagedPrincipal.roles(of: org, in: cluster) + ManagedPrincipal.roles(of: org)
        for member in try await OrgQueries.users(in: org, roles: [], info: false, on: db) {
            guard let user = try member.userName.map({ try UserName($0) }) else { continue }
            try await ClusterUserQueries.insert(
                user, request.defaultRole, request.defaultQuota ?? .unlimited, in: cluster, org: org, on: db)
            changed += try await joined(user, [.clusterUser(cluster, org, user)], on: db)
        }
        return changed
    }

    func presence(of org: OrgName, in cluster: ClusterName, on db: some Database) async throws -> OrgCluster {
        guard let presence = try await ClusterQueries.org(org, in: cluster, on: db) else { throw Missing.org(org, in: cluster) }
        return presence
    }
}
