import Identity
import PlatformClients
import PlatformModel
import Postgres
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
        try await requireAsMember(Permission(AdminURIs.org(org, in: cluster, "access"), .read), as: caller)
        return try await presence(of: org, in: cluster, on: pool)
    }

    /// A service account lives on what its owner has, and is shown that though nothing was granted to itself.
    private func requireAsMember(_ permission: Permission, as caller: Caller) async throws {
        guard try await !auth.check([permission], as: caller).isEmpty else { return }
        if caller.kind == .user, let account = try? PrincipalName(caller.name), account.segments.dropFirst().first == "service-accounts",
            try await auth.check([permission], of: account.base) == []
        {
            return
        }
        throw PlatformError(.forbidden, "Forbidden", body: MissingPermissions(missing: [permission]))
    }

    /// Adds an organization to a cluster, and all its members with it.
    func addOrg(_ request: OrgCluster, to cluster: ClusterName, as caller: Caller) async throws -> OrgCluster {
        let permission = Permission(AdminURIs.org(request.orgName, in: cluster), .write)
        try await requireDefaults(request.defaultRole, of: request.orgName, in: cluster, permission, as: caller)
        try await requireConsent(of: request.orgName, as: caller)
        let credits = try await creditsToSet(request, in: cluster, as: caller)
        return try await change(touching: ManagedPrincipal.roles(of: request.orgName, in: cluster)) { db in
            guard try await ClusterQueries.cluster(cluster, on: db) != nil else { throw Missing.cluster(cluster) }
            guard try await OrgQueries.org(request.orgName, on: db) != nil else { throw Missing.org(request.orgName) }
            let changed = try await join(request, to: cluster, on: db)
            try await setCredits(credits, of: request.orgName, as: caller, on: db)
            let presence = try await presence(of: request.orgName, in: cluster, on: db)
            try await AuditLog.created(AuditTarget.presence(request.orgName.text, in: cluster.text), presence, by: caller, on: db)
            return (presence, changed)
        }
    }

    /// Everything but the storage size is replaced; spending is never taken from a body.
    func updateOrg(_ request: OrgCluster, in cluster: ClusterName, as caller: Caller) async throws -> OrgCluster {
        let permission = Permission(AdminURIs.org(request.orgName, in: cluster), .write)
        try await requireDefaults(request.defaultRole, of: request.orgName, in: cluster, permission, as: caller)
        let credits = try await creditsToSet(request, in: cluster, as: caller)
        return try await transaction { db in
            let old = try await locked(request.orgName, in: cluster, on: db)
            _ = try await ClusterQueries.update(request, in: cluster, on: db)
            try await setCredits(credits, of: request.orgName, as: caller, on: db)
            let new = try await presence(of: request.orgName, in: cluster, on: db)
            let target = AuditTarget.presence(request.orgName.text, in: cluster.text)
            try await AuditLog.record(.update, target, by: caller, old: old, new: new, on: db)
            return new
        }
    }

    /// Credits that a body names are the organization's. One that names none leaves them, and so does one that says what is.
    private func creditsToSet(_ request: OrgCluster, in cluster: ClusterName, as caller: Caller) async throws -> Money? {
        guard let credits = request.balance?.credits else { return nil }
        let stored = try await OrgQueries.org(request.orgName, on: pool)
        guard stored?.balance?.credits != credits else { return nil }
        try await requireProviding(for: request.orgName, and: cluster, as: caller)
        return credits
    }

    private func setCredits(_ credits: Money?, of org: OrgName, as caller: Caller, on db: PostgresConnection) async throws {
        guard let credits else { return }
        _ = try await apply(.change(BalanceChange(credits: credits)), to: org, key: nil, as: caller, on: db)
    }

    /// Anybody can make a cluster, and who manages one is shown the members of what is in it: an organization is brought there by its own
    /// administrators.
    private func requireConsent(of org: OrgName, as caller: Caller) async throws {
        let (read, manages) = (Permission(AdminURIs.org(org), .read), Permission(AdminURIs.org(org), .write))
        let missing = try await auth.check([read, manages, Self.operates], as: caller)
        guard missing.contains(manages), missing.contains(Self.operates) else { return }
        guard !missing.contains(read) else { throw Self.noAccess(caller, org) }
        throw PlatformError(.forbidden, "Forbidden", body: MissingPermissions(missing: [manages]))
    }

    /// Removes the organization's projects and members from the cluster; the organization itself stays.
    func removeOrg(_ org: OrgName, from cluster: ClusterName, as caller: Caller) async throws {
        try await auth.require(Permission(AdminURIs.org(org, in: cluster), .write), as: caller)
        try await change { db in
            let presence = try await presence(of: org, in: cluster, on: db)
            let changed = try await memberRoles(in: cluster, org: org, on: db)
            let place = ProjectPlace(cluster: cluster, org: org)
            for project in try await ProjectQueries.projects(in: place, on: db) {
                try await ProjectRemovals.announce(project.name, in: place, by: caller, on: db)
            }
            try await ClusterQueries.delete(org, from: cluster, on: db)
            try await AuditLog.deleted(AuditTarget.presence(org.text, in: cluster.text), presence, by: caller, on: db)
            let roles: [ManagedPrincipal] = [.clusterManager(cluster, org), .clusterAdmin(cluster, org), .orgManager(org), .orgAdmin(org)]
            return ((), changed + roles)
        }
    }

    /// Inserts the row and a membership with the defaults for every member of the organization.
    func join(_ request: OrgCluster, to cluster: ClusterName, on db: PostgresConnection) async throws -> [ManagedPrincipal] {
        let org = request.orgName
        try await SharedPlaces.reserve(org.text, in: cluster, on: db)
        guard try await !SharedPlaces.isProject(org.text, in: cluster, on: db) else {
            throw PlatformError.conflict("The name '\(org)' is taken by a project of cluster '\(cluster)'")
        }
        try await ProjectRemovals.requireNone(on: db) { try await ProjectRemovals.arePending(org, in: cluster, on: $0) }
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
