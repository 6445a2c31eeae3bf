import Identity
import PlatformClients
import PlatformModel
import ServiceKit

extension Directory {
    /// The clusters that the caller may use.
    func clusters(as caller: Caller) async throws -> [AdminCluster] {
        let tree = try await auth.tree(ResourceURI(.cluster), as: caller)
        return try await ClusterQueries.all(on: pool).filter { tree.action(on: AdminURIs.access($0.name)) >= .read }
    }

    func cluster(_ name: ClusterName, as caller: Caller) async throws -> AdminCluster {
        try await auth.require(Permission(AdminURIs.access(name), .read), as: caller)
        guard let cluster = try await ClusterQueries.cluster(name, on: pool) else { throw Missing.cluster(name) }
        return cluster
    }

    /// The creator becomes the cluster's administrator.
    func createCluster(_ request: AdminCluster, as caller: Caller) async throws -> AdminCluster {
        let counted = try await !auth.check([Self.operates], as: caller).isEmpty
        try NewNames.check(cluster: request.name)
        try await NewNames.checkFree(request.name, auth: auth, on: pool)
        if let config, try await ClusterQueries.cluster(request.name, on: pool) == nil {
            try await config.checkFree(request.name, for: !counted)
        }
        let creator = try await user(of: caller, on: pool)
        let created = try await change(touching: [.base(request.name.text)] + (creator.map { [.user($0)] } ?? [])) { db in
            if counted { try await limits.check(.clusters, of: caller, on: db) }
            try await NewNames.reserve(request.name, on: db)
            try await refusing(duplicate: "Cluster '\(request.name)' already exists") { try await ClusterQueries.insert(request, on: db) }
            var changed: [ManagedPrincipal] = [.base(request.name.text)]
            if let creator {
                try await ClusterUserQueries.insert(creator, .admin, .unlimited, in: request.name, org: nil, on: db)
                changed += try await joined(creator, [.clusterUser(request.name, nil, creator)], on: db)
            }
            try await ConfigLink.note(request.name, on: db)
            try await AuditLog.created(AuditTarget.cluster(request.name.text), request, by: caller, on: db)
            return (request, changed)
        }
        await config?.tell(of: request.name)
        return created
    }

    func updateCluster(_ name: ClusterName, _ request: AdminCluster, as caller: Caller) async throws -> AdminCluster {
        guard request.name == name else { throw PlatformError.badRequest("name: must be '\(name)'") }
        try await auth.require(Permission(AdminURIs.cluster(name), .manage), as: caller)
        return try await transaction { db in
            _ = try await db.query("SELECT 1 FROM clusters WHERE name = \(name.text) FOR UPDATE")
            let old = try await ClusterQueries.cluster(name, on: db)
            guard try await ClusterQueries.update(request, on: db) else { throw Missing.cluster(name) }
            try await AuditLog.record(.update, AuditTarget.cluster(name.text), by: caller, old: old, new: request, on: db)
            return request
        }
    }

    /// Removes the cluster with everything in it; the users' roles there go too.
    func deleteCluster(_ name: ClusterName, as caller: Caller) async throws -> AdminCluster {
        try await auth.require(Permission(AdminURIs.cluster(name), .manage), as: caller)
        let deleted = try await change { db in
            guard let cluster = try await ClusterQueries.cluster(name, on: db) else { throw Missing.cluster(name) }
            var changed: [ManagedPrincipal] = []
            for org in try await ClusterQueries.orgs(in: name, on: db) {
                changed += [.clusterManager(name, org.orgName), .clusterAdmin(name, org.orgName)] + ManagedPrincipal.roles(of: org.orgName)
            }
            changed += try await memberRoles(in: name, org: nil, on: db)
            for project in try await ProjectQueries.projects(in: name, on: db) {
                let place = ProjectPlace(cluster: name, org: project.orgName)
                try await ProjectRemovals.announce(project.name, in: place, by: caller, on: db)
            }
            try await ClusterQueries.delete(name, on: db)
            try await ConfigLink.note(name, on: db)
            try await AuditLog.deleted(AuditTarget.cluster(name.text), cluster, by: caller, on: db)
            return (cluster, changed + [.base(name.text)])
        }
        await config?.tell(of: name)
        return deleted
    }

    /// Notes the roles that a user got, so that they are revoked one day whatever happens; returns them with the user itself.
    func joined(_ user: UserName, _ roles: [ManagedPrincipal], on db: some Database) async throws -> [ManagedPrincipal] {
        try await HeldRoles.note(user, roles, on: db)
        return roles + [.user(user)]
    }

    /// The roles and users of all members of a cluster, or of an organization there: what changes when it goes.
    func memberRoles(in cluster: ClusterName, org: OrgName?, on db: some Database) async throws -> [ManagedPrincipal] {
        try await ClusterUserQueries.users(in: cluster, org: org, info: false, on: db).flatMap { member -> [ManagedPrincipal] in
            guard let user = try member.userName.map({ try UserName($0) }) else { return [] }
            return [.clusterUser(cluster, member.orgName, user), .user(user)]
        }
    }
}
