import Identity
import PlatformClients
import PlatformModel
import Postgres
import ServiceKit

extension Directory {
    /// The projects of a place that the caller may see.
    func projects(in place: ProjectPlace, as caller: Caller) async throws -> [Project] {
        let tree = try await auth.tree(AdminURIs.cluster(place.cluster), as: caller)
        return try await ProjectQueries.projects(in: place, on: pool).filter { Self.isVisible($0, tree) }
    }

    /// The projects of all organizations of a cluster that the caller may see.
    func projects(in cluster: ClusterName, as caller: Caller) async throws -> [Project] {
        let tree = try await auth.tree(AdminURIs.cluster(cluster), as: caller)
        return try await ProjectQueries.projects(in: cluster, on: pool).filter { Self.isVisible($0, tree) }
    }

    private static func isVisible(_ project: Project, _ tree: PermissionTree) -> Bool {
        let place = ProjectPlace(cluster: project.clusterName, org: project.orgName)
        return tree.action(on: AdminURIs.projects(place, project.name.text)) >= .read
    }

    func project(_ name: ProjectName, in place: ProjectPlace, as caller: Caller) async throws -> Project {
        try await auth.require(Permission(AdminURIs.projects(place, name.text), .read), as: caller)
        guard let project = try await ProjectQueries.project(name, in: place, on: pool) else { throw Missing.project(name) }
        return project
    }

    /// The creator, if a member of the cluster there, becomes the project's administrator.
    func createProject(_ request: CreateProjectRequest, in place: ProjectPlace, as caller: Caller) async throws -> Project {
        try await auth.require(Permission(AdminURIs.projects(place, "new"), .write), as: caller)
        try NewNames.check(request.name)
        let creator = try await user(of: caller, on: pool)
        let known = creator.map { [ManagedPrincipal.clusterUser(place.cluster, place.org, $0), .user($0)] } ?? []
        try await waitWhile { try await ProjectRemovals.arePending(request.name, in: place, on: pool) }
        return try await change(touching: known) { db in
            guard try await ClusterQueries.cluster(place.cluster, on: db) != nil else { throw Missing.cluster(place.cluster) }
            if let org = place.org {
                _ = try await presence(of: org, in: place.cluster, on: db)
            } else {
                let name = request.name.text
                try await SharedPlaces.reserve(name, in: place.cluster, on: db)
                guard try await !SharedPlaces.isOrg(name, on: db) else {
                    throw PlatformError.conflict("The name '\(name)' is taken by an organization")
                }
            }
            let project = try await refusing(duplicate: "Project '\(request.name)' already exists") {
                try await ProjectQueries.insert(request, in: place, on: db)
            }
            try await ProjectRemovals.requireNone(on: db) { try await ProjectRemovals.arePending(request.name, in: place, on: $0) }
            try await AuditLog.created(AuditTarget.project(request.name.text, in: place), project, by: caller, on: db)
            guard let creator, try await ClusterUserQueries.user(creator.text, in: place.cluster, org: place.org, on: db) != nil else {
                return (project, [])
            }
            try await ProjectQueries.insert(creator, .admin, in: request.name, place, on: db)
            return (project, [.clusterUser(place.cluster, place.org, creator)])
        }
    }

    func updateProject(
        _ name: ProjectName, in place: ProjectPlace, isDefault: Bool, role: ProjectRole, as caller: Caller
    ) async throws -> Project {
        try await auth.require(Permission(AdminURIs.projects(place, name.text), .write), as: caller)
        return try await transaction { db in
            _ = try await ProjectQueries.lockCountingAdmins(name, place, on: db)
            let old = try await ProjectQueries.project(name, in: place, on: db)
            guard let project = try await ProjectQueries.update(name, in: place, isDefault: isDefault, role: role, on: db) else {
                throw Missing.project(name)
            }
            try await AuditLog.record(.update, AuditTarget.project(name.text, in: place), by: caller, old: old, new: project, on: db)
            return project
        }
    }

    func deleteProject(_ name: ProjectName, in place: ProjectPlace, as caller: Caller) async throws -> Project {
        try await auth.require(Permission(AdminURIs.projects(place, name.text), .write), as: caller)
        return try await change { db in
            let members = try await ProjectQueries.users(in: name, place, on: db)
            guard let project = try await ProjectQueries.delete(name, in: place, on: db) else { throw Missing.project(name) }
            try await ProjectRemovals.announce(project.name, in: place, by: caller, on: db)
            try await AuditLog.deleted(AuditTarget.project(name.text, in: place), project, by: caller, on: db)
            let changed = try members.compactMap {
                try $0.userName.map { ManagedPrincipal.clusterUser(place.cluster, place.org, try UserName($0)) }
            }
            return (project, changed)
        }
    }
}
