import PlatformClients
import PlatformModel

/// What each role holds. Pure: memberships in, permissions out.
enum RoleContents {
    static func orgUser(_ org: OrgName) -> [Permission] { [Permission(AdminURIs.org(org), .read)] }

    static func orgManager(_ org: OrgName, clusters: [ClusterName]) throws -> [Permission] {
        try [Permission(ManagedPrincipal.orgUser(org).name.roleURI, .read), Permission(AdminURIs.org(org, "users"), .write)]
            + clusters.map { Permission(try ManagedPrincipal.clusterManager($0, org).name.roleURI, .read) }
    }

    static func orgAdmin(_ org: OrgName, clusters: [ClusterName]) throws -> [Permission] {
        try [Permission(ManagedPrincipal.orgManager(org).name.roleURI, .read), Permission(AdminURIs.org(org), .write)]
            + clusters.map { Permission(try ManagedPrincipal.clusterAdmin($0, org).name.roleURI, .read) }
    }

    /// Nothing outside the organization: a past defect let administrators of an organization in a cluster rule the whole cluster.
    static func clusterManager(_ cluster: ClusterName, _ org: OrgName) -> [Permission] {
        AdminURIs.resources([cluster.text, org.text], .manage) + [
            Permission(AdminURIs.org(org, in: cluster), .read), Permission(AdminURIs.org(org, in: cluster, "users"), .write),
            Permission(AdminURIs.org(org, in: cluster, "defaults"), .write),
            Permission(AdminURIs.org(org, in: cluster, "projects"), .write),
        ]
    }

    static func clusterAdmin(_ cluster: ClusterName, _ org: OrgName) throws -> [Permission] {
        [
            Permission(try ManagedPrincipal.clusterManager(cluster, org).name.roleURI, .read),
            Permission(AdminURIs.org(org, in: cluster, "projects"), .manage),
        ]
    }

    /// A user's whole permission set in a cluster: the membership and the projects.
    static func clusterUser(
        _ user: UserName, in place: ProjectPlace, role: ClusterRole, projects: [ProjectUser]
    ) throws -> [Permission] {
        let membership =
            if let org = place.org {
                try orgMember(org, in: place.cluster, role)
            } else {
                directMember(in: place.cluster, role)
            }
        return membership
            + projects.flatMap { membership -> [Permission] in
                guard let name = membership.projectName, let role = membership.role else { return [] }
                return project(name, in: place, role, of: user)
            }
    }

    private static func orgMember(_ org: OrgName, in cluster: ClusterName, _ role: ClusterRole) throws -> [Permission] {
        var permissions = [Permission(AdminURIs.access(cluster), .read), Permission(AdminURIs.org(org, in: cluster, "access"), .read)]
        if role != .member { permissions.append(Permission(AdminURIs.org(org, in: cluster, "projects", "new"), .write)) }
        switch role {
        case .member, .user: break
        case .manager: permissions.append(Permission(try ManagedPrincipal.clusterManager(cluster, org).name.roleURI, .read))
        case .admin: permissions.append(Permission(try ManagedPrincipal.clusterAdmin(cluster, org).name.roleURI, .read))
        }
        return permissions
    }

    private static func directMember(in cluster: ClusterName, _ role: ClusterRole) -> [Permission] {
        switch role {
        case .member, .user: [Permission(AdminURIs.access(cluster), .read)]
        case .manager:
            [
                Permission(AdminURIs.cluster(cluster), .read), Permission(AdminURIs.clusterUsers(cluster), .write),
                Permission(AdminURIs.clusterOrgs(cluster), .write),
            ] + AdminURIs.resources([cluster.text], .manage)
        case .admin: [Permission(AdminURIs.cluster(cluster), .manage)] + AdminURIs.resources([cluster.text], .manage)
        }
    }

    /// A manager has no `write` on the project itself: by prefix it would reach the administrators.
    private static func project(_ name: ProjectName, in place: ProjectPlace, _ role: ProjectRole, of user: UserName) -> [Permission] {
        let resources = [place.cluster.text] + (place.org.map { [$0.text] } ?? []) + [name.text]
        let leave = Permission(AdminURIs.projects(place, name.text, "users", user.text, "delete"), .write)
        let see = Permission(AdminURIs.projects(place, name.text), .read)
        switch role {
        case .reader: return AdminURIs.resources(resources, .read) + [see, leave]
        case .writer: return AdminURIs.resources(resources, .write) + [see, leave]
        case .manager:
            return AdminURIs.resources(resources, .manage) + [see, Permission(AdminURIs.projects(place, name.text, "users"), .write)]
        case .admin: return AdminURIs.resources(resources, .manage) + [Permission(AdminURIs.projects(place, name.text), .write)]
        }
    }
}
