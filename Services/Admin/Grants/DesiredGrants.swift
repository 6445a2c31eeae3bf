import PlatformClients
import PlatformModel
import Postgres

/// What a role must hold according to the memberships in the database; nil when it must not exist.
enum DesiredGrants {
    static func role(_ principal: ManagedPrincipal, on db: some Database) async throws -> [Permission]? {
        switch principal {
        case .base(let name):
            return try await isBase(name, on: db) ? [] : nil
        case .orgUser(let org):
            return try await exists(org, on: db) ? RoleContents.orgUser(org) : nil
        case .orgManager(let org):
            return try await exists(org, on: db) ? RoleContents.orgManager(org, clusters: clusters(of: org, on: db)) : nil
        case .orgAdmin(let org):
            return try await exists(org, on: db) ? RoleContents.orgAdmin(org, clusters: clusters(of: org, on: db)) : nil
        case .clusterManager(let cluster, let org):
            return try await clusters(of: org, on: db).contains(cluster) ? RoleContents.clusterManager(cluster, org) : nil
        case .clusterAdmin(let cluster, let org):
            return try await clusters(of: org, on: db).contains(cluster) ? RoleContents.clusterAdmin(cluster, org) : nil
        case .clusterUser(let cluster, let org, let user):
            guard let membership = try await ClusterUserQueries.user(user.text, in: cluster, org: org, on: db), let role = membership.role
            else { return nil }
            let place = ProjectPlace(cluster: cluster, org: org)
            let projects = try await UserQueries.projects(of: user.text, on: db).filter { $0.clusterName == cluster && $0.orgName == org }
            return try RoleContents.clusterUser(user, in: place, role: role, projects: projects)
        case .user:
            return nil
        }
    }

    /// The roles that a user must hold.
    static func roles(of user: UserName, on db: some Database) async throws -> [ManagedPrincipal] {
        let orgs = try await UserQueries.orgs(of: user.text, on: db).compactMap { membership -> ManagedPrincipal? in
            guard let org = membership.orgName else { return nil }
            return switch membership.role {
            case .user: .orgUser(org)
            case .manager: .orgManager(org)
            case .admin: .orgAdmin(org)
            }
        }
        let clusters = try await UserQueries.clusters(of: user.text, on: db).compactMap { membership in
            membership.clusterName.map { ManagedPrincipal.clusterUser($0, membership.orgName, user) }
        }
        return orgs + clusters
    }

    private static func exists(_ org: OrgName, on db: some Database) async throws -> Bool { try await OrgQueries.org(org, on: db) != nil }

    private static func clusters(of org: OrgName, on db: some Database) async throws -> [ClusterName] {
        try await ClusterQueries.clusters(of: org, on: db).compactMap(\.clusterName)
    }

    private static func isBase(_ name: String, on db: some Database) async throws -> Bool {
        try await !db.query(
            "SELECT 1 FROM clusters WHERE name = \(name) UNION ALL SELECT 1 FROM orgs WHERE name = \(name)"
        ).isEmpty
    }
}
