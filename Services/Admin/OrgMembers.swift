import PlatformClients
import PlatformModel
import ServiceKit

extension Directory {
    func members(of org: OrgName, roles: [OrgRole], info: Bool, as caller: Caller) async throws -> [OrgUser] {
        try await requireAccess(to: org, .read, as: caller)
        return try await OrgQueries.users(in: org, roles: roles, info: info, on: pool)
    }

    /// A membership: one's own, or anyone's for members.
    func member(_ user: String, of org: OrgName, info: Bool, as caller: Caller) async throws -> OrgUser {
        if caller.name == user {
            try await auth.verify(caller)
        } else {
            try await requireAccess(to: org, .read, as: caller)
        }
        guard let member = try await OrgQueries.user(Self.owner(user), in: org, info: info, on: pool) else {
            throw Missing.user(user, in: org)
        }
        return member
    }

    /// The new member may use every cluster of the organization and joins its default projects.
    func addMember(_ request: OrgUser, to org: OrgName, info: Bool, as caller: Caller) async throws -> OrgUser {
        let user = try Self.userName(request.userName)
        try await requireManaging(org, admins: request.role == .admin, as: caller)
        return try await change(touching: [.user(user)]) { db in
            guard let organization = try await OrgQueries.org(org, on: db) else { throw Missing.org(org) }
            guard try await UserQueries.user(user.text, on: db) != nil else { throw Missing.user(user) }
            let credits = request.balance.map(\.credits) ?? (request.role == .user ? organization.userDefaultCredits : nil)
            try await refusing(duplicate: "User '\(user)' already exists in org '\(org)'") {
                try await OrgQueries.insert(user, request.role, credits: credits, in: org, on: db)
            }
            var roles: [ManagedPrincipal] = [.role(request.role, of: org)]
            for presence in try await ClusterQueries.clusters(of: org, on: db) {
                guard let cluster = presence.clusterName else { continue }
                try await ClusterUserQueries.insert(
                    user, presence.defaultRole, presence.defaultQuota ?? .unlimited, in: cluster, org: org, on: db)
                roles.append(.clusterUser(cluster, org, user))
                let place = ProjectPlace(cluster: cluster, org: org)
                for project in try await ProjectQueries.projects(in: place, on: db) where project.isDefault {
                    try await ProjectQueries.insert(user, project.defaultRole, in: project.name, place, on: db)
                }
            }
            let changed = try await joined(user, roles, on: db)
            let member = try await stored(user, org, info: info, on: db)
            try await AuditLog.created("orgs/\(org)/users/\(user)", member, by: caller, on: db)
            return (member, changed)
        }
    }

    /// Replaces the role, and the credits when the body has a balance.
    func updateMember(_ user: UserName, of org: OrgName, _ request: OrgUser, info: Bool, as caller: Caller) async throws -> OrgUser {
        guard request.userName == nil || request.userName == user.text else {
            throw PlatformError.badRequest("user_name: must be '\(user)'")
        }
        let current = try await OrgQueries.user(user.text, in: org, on: pool)
        try await requireManaging(org, admins: request.role == .admin || current?.role == .admin, as: caller)
        return try await change { db in
            try await keepAnAdmin(org, unless: request.role == .admin, touching: user, "demoted", on: db)
            let old = try await stored(user, org, info: info, on: db)
            try Self.refuse(promoted: old.role == .admin, unless: current?.role == .admin || request.role == .admin)
            if let balance = request.balance { try await OrgQueries.setCredits(balance.credits, of: user, in: org, on: db) }
            if old.role != request.role { try await OrgQueries.setRole(request.role, of: user, in: org, on: db) }
            let new = try await stored(user, org, info: info, on: db)
            guard new != old else { return (new, []) }
            try await AuditLog.record(.update, "orgs/\(org)/users/\(user)", by: caller, old: old, new: new, on: db)
            return (new, old.role == new.role ? [] : try await joined(user, [.role(request.role, of: org)], on: db))
        }
    }

    /// Memberships in the organization's clusters and projects go too.
    func removeMember(_ user: UserName, of org: OrgName, as caller: Caller) async throws {
        try await requireManaging(org, admins: false, as: caller)
        guard user.text != Self.owner(caller.name) else { throw PlatformError.badRequest("Org users cannot remove themselves") }
        let current = try await OrgQueries.user(user.text, in: org, on: pool)
        if current?.role == .admin {
            let missing = try await auth.check([Permission(AdminURIs.org(org, "admins"), .write)], as: caller)
            guard missing.isEmpty else {
                throw PlatformError.forbidden("User \(caller.name) has to have admin access to remove other admin users")
            }
        }
        try await change(touching: [.user(user)]) { db in
            try await keepAnAdmin(org, unless: false, touching: user, "removed", on: db)
            let old = try await stored(user, org, info: false, on: db)
            try Self.refuse(promoted: old.role == .admin, unless: current?.role == .admin)
            var changed: [ManagedPrincipal] = [.user(user)]
            for presence in try await ClusterQueries.clusters(of: org, on: db) {
                guard let cluster = presence.clusterName else { continue }
                try await ProjectQueries.delete(user, fromAllIn: ProjectPlace(cluster: cluster, org: org), on: db)
                changed.append(.clusterUser(cluster, org, user))
            }
            try await OrgQueries.delete(user, from: org, on: db)
            try await AuditLog.deleted("orgs/\(org)/users/\(user)", old, by: caller, on: db)
            return ((), changed)
        }
    }

    /// An organization without an administrator could never be managed again.
    private func keepAnAdmin(
        _ org: OrgName, unless staysAdmin: Bool, touching user: UserName, _ verb: String, on db: some Database
    ) async throws {
        _ = try await db.query("SELECT name FROM orgs WHERE name = \(org.text) FOR UPDATE")
        guard !staysAdmin else { return }
        let admins = try await OrgQueries.users(in: org, roles: [.admin], info: false, on: db)
        if admins.count == 1, admins[0].userName == user.text { throw PlatformError.badRequest("Last org admin cannot be \(verb)") }
    }

    /// Rights were checked before the row was locked: who became an administrator in between is touched by administrators only.
    static func refuse(promoted isAdmin: Bool, unless wasChecked: Bool) throws {
        guard !isAdmin || wasChecked else { throw PlatformError.conflict("The member's role was changed meanwhile; try again") }
    }

    private func stored(_ user: UserName, _ org: OrgName, info: Bool, on db: some Database) async throws -> OrgUser {
        guard let member = try await OrgQueries.user(user.text, in: org, info: info, on: db) else { throw Missing.user(user.text, in: org) }
        return member
    }

    /// Administrators are made and touched by administrators only.
    private func requireManaging(_ org: OrgName, admins: Bool, as caller: Caller) async throws {
        var needed = [[Permission(AdminURIs.org(org, "users"), .write)]]
        if admins { needed.append([Permission(AdminURIs.org(org, "admins"), .write)]) }
        try await auth.require(needed, as: caller)
    }
}

extension ManagedPrincipal {
    static func role(_ role: OrgRole, of org: OrgName) -> ManagedPrincipal {
        switch role {
        case .user: .orgUser(org)
        case .manager: .orgManager(org)
        case .admin: .orgAdmin(org)
        }
    }
}
