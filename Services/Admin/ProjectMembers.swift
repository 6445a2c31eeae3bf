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
            let target = AuditTarget.project(project.text, in: place) + "/users/\(user)"
            try await AuditLog.created(target, member, by: caller, on: db)
            return (member, [.clusterUser(place.cluster, place.org, user)])
        }
    }

    func updateMember(
        _ user: UserName, of project: ProjectName, in place: ProjectPlace, role: ProjectRole, as caller: Caller
    ) async throws -> ProjectUser {
        let current = try await ProjectQueries.user(user.text, in: project, place, on: pool)
        try await requireManaging(project, place, admins: role == .admin, current: current?.role, "users", as: caller)
        return try await change { db in
            let admins = try await ProjectQueries.lockCountingAdmins(project, place, on: db)
            guard let old = try await ProjectQueries.user(user.text, in: project, place, on: db) else { throw Missing.user(user) }
            guard old.role != role else { return (old, []) }
            try Self.refuse(promoted: old.role == .admin, unless: current?.role == .admin)
            if old.role == .admin, admins == 1 { throw PlatformError.badRequest("Last project admin cannot be demoted") }
            try await ProjectQueries.setRole(role, of: user, in: project, place, on: db)
            var member = old
            member.role = role
            let target = AuditTarget.project(project.text, in: place) + "/users/\(user)"
            try await AuditLog.record(.update, target, by: caller, old: old, new: member, on: db)
            return (member, [.clusterUser(place.cluster, place.org, user)])
        }
    }

    func removeMember(_ user: UserName, of project: ProjectName, in place: ProjectPlace, as caller: Caller) async throws {
        let current = try await ProjectQueries.user(user.text, in: project, place, on: pool)
        try await requireManaging(project, place, admins: false, current: current?.role, "users", user.text, "delete", as: caller)
        try await change(touching: [.clusterUser(place.cluster, place.org, user)]) { db in
            let admins = try await ProjectQueries.lockCountingAdmins(project, place, on: db)
            guard let member = try await ProjectQueries.user(user.text, in: project, place, on: db) else { throw Missing.user(user) }
            try Self.refuse(promoted: member.role == .admin, unless: current?.role == .admin)
            if member.role == .admin, admins == 1 { throw PlatformError.badRequest("Last project admin cannot be removed") }
            try await ProjectQueries.delete(user, from: project, place, on: db)
            let target = AuditTarget.project(project.text, in: place) + "/users/\(user)"
            try await AuditLog.deleted(target, member, by: caller, on: db)
            return ((), [.clusterUser(place.cluster, place.org, user)])
        }
    }

    /// Whatever touches an administrator needs `…/admins`, and that alone is named as missing.
    private func requireManaging(
        _ project: ProjectName, _ place: ProjectPlace, admins: Bool, current: ProjectRole? = nil, _ rest: String..., as caller: Caller
    ) async throws {
        let base = AdminURIs.projects(place, project.text)
        let administers = Permission(base.appending("admins"), .write)
        let manages = Permission(ResourceURI(base.scheme, base.segments + rest), .write)
        guard !admins, current == .admin else { return try await auth.require(admins ? administers : manages, as: caller) }
        // Who is an administrator is told to members only; anyone else lacks what he would lack in any case.
        let read = Permission(base, .read)
        let missing = try await auth.check([administers, read, manages], as: caller)
        guard missing.contains(administers) else { return }
        let told = missing.contains(read) && missing.contains(manages) ? manages : administers
        throw PlatformError(.forbidden, "Forbidden", body: MissingPermissions(missing: [told]))
    }
}
