import PlatformClients
import PlatformModel
import ServiceKit

extension Directory {
    func members(of project: ProjectName, in place: ProjectPlace, info: Bool, as caller: Caller) async throws -> [ProjectUser] {
        try await auth.require(Permission(AdminURIs.projects(place, project.text), .read), as: caller)
        guard try await ProjectQueries.project(project, in: place, on: pool) != nil else { throw Missing.project(project) }
        return try await ProjectQueries.users(in: project, place, info: info, on: pool)
    }

    func member(
        _ user: String, of project: ProjectName, in place: ProjectPlace, info: Bool, as caller: Caller
    ) async throws -> ProjectUser {
        try await auth.require(Permission(AdminURIs.projects(place, project.text), .read), as: caller)
        guard let member = try await ProjectQueries.user(user, in: project, place, info: info, on: pool) else { throw Missing.user(user) }
        return member
    }

    func addMember(
        _ request: ProjectUser, to project: ProjectName, in place: ProjectPlace, info: Bool, as caller: Caller
    ) async throws -> ProjectUser {
        let user = try Self.userName(request.userName)
        guard let stored = try await ProjectQueries.project(project, in: place, on: pool) else {
            try await auth.require(Permission(AdminURIs.projects(place, project.text, "users"), .write), as: caller)
            throw Missing.project(project)
        }
        let role = request.role ?? stored.defaultRole
        try await requireManaging(project, place, admins: role == .admin, "users", as: caller)
        return try await change(touching: [.clusterUser(place.cluster, place.org, user), .user(user)]) { db in
            guard try await ClusterUserQueries.user(user.text, in: place.cluster, org: place.org, on: db) != nil else {
                throw Missing.user(user.text, in: place.cluster, place.org)
            }
            try await refusing(duplicate: "User '\(user)' already exists in project '\(project)'") {
                try await ProjectQueries.insert(user, role, in: project, place, on: db)
            }
            guard let member = try await ProjectQueries.user(user.text, in: project, place, info: info, on: db) else {
                throw Missing.project(project)
            }
            return (member, [.clusterUser(place.cluster, place.org, user)])
        }
    }

    func updateMember(
        _ user: UserName, of project: ProjectName, in place: ProjectPlace, role: ProjectRole, as caller: Caller
    ) async throws -> ProjectUser {
        let current = try await ProjectQueries.user(user.text, in: project, place, on: pool)
        try await requireManaging(project, place, admins: role == .admin || current?.role == .admin, "users", as: caller)
        return try await change { db in
            let admins = try await ProjectQueries.lockCountingAdmins(project, place, on: db)
            guard var member = try await ProjectQueries.user(user.text, in: project, place, on: db) else { throw Missing.user(user) }
            if member.role == .admin, role != .admin, admins == 1 {
                throw PlatformError.badRequest("Last project admin cannot be demoted")
            }
            try await ProjectQueries.setRole(role, of: user, in: project, place, on: db)
            member.role = role
            return (member, [.clusterUser(place.cluster, place.org, user)])
        }
    }

    func removeMember(_ user: UserName, of project: ProjectName, in place: ProjectPlace, as caller: Caller) async throws {
        let current = try await ProjectQueries.user(user.text, in: project, place, on: pool)
        try await requireManaging(project, place, admins: current?.role == .admin, "users", user.text, "delete", as: caller)
        try await change(touching: [.clusterUser(place.cluster, place.org, user)]) { db in
            let admins = try await ProjectQueries.lockCountingAdmins(project, place, on: db)
            guard let member = try await ProjectQueries.user(user.text, in: project, place, on: db) else { throw Missing.user(user) }
            if member.role == .admin, admins == 1 { throw PlatformError.badRequest("Last project admin cannot be removed") }
            try await ProjectQueries.delete(user, from: project, place, on: db)
            return ((), [.clusterUser(place.cluster, place.org, user)])
        }
    }

    /// Whatever touches an administrator needs `…/admins`, and that alone is named as missing.
    private func requireManaging(
        _ project: ProjectName, _ place: ProjectPlace, admins: Bool, _ rest: String..., as caller: Caller
    ) async throws {
        let base = AdminURIs.projects(place, project.text)
        if admins {
            try await auth.require(Permission(base.appending("admins"), .write), as: caller)
        } else {
            try await auth.require(Permission(ResourceURI(base.scheme, base.segments + rest), .write), as: caller)
        }
    }
}
