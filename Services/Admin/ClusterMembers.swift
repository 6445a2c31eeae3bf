import PlatformClients
import PlatformModel
import Postgres
import ServiceKit

extension Directory {
    /// The members of a cluster, of all organizations or of one. Who may only use the cluster sees names.
    func members(of cluster: ClusterName, org: OrgName?, info: Bool, onlyNames: Bool, as caller: Caller) async throws -> [ClusterUser] {
        let full = Permission(org.map { AdminURIs.org($0, in: cluster) } ?? AdminURIs.cluster(cluster), .read)
        // Members of an organization are no business of the others in the cluster.
        let names = Permission(org.map { AdminURIs.org($0, in: cluster, "access") } ?? AdminURIs.access(cluster), .read)
        let missing = try await auth.check([full, names], as: caller)
        guard !missing.contains(names) else {
            throw PlatformError(.forbidden, "Forbidden", body: MissingPermissions(missing: [names]))
        }
        if let org { _ = try await presence(of: org, in: cluster, on: pool) }
        let users = try await ClusterUserQueries.users(in: cluster, org: org, info: info, on: pool)
        guard onlyNames || missing.contains(full) else { return users }
        if onlyNames { return users.map { ClusterUser(userName: $0.userName) } }
        // Whose members they are, and their addresses, are for who is a member there too.
        return users.map {
            ClusterUser(userName: $0.userName, orgName: org, userInfo: org == nil && info ? UserInfo(email: "") : $0.userInfo)
        }
    }

    /// A membership: one's own, or anyone's for who may see the members.
    func member(_ user: String, of cluster: ClusterName, org: OrgName?, info: Bool, as caller: Caller) async throws -> ClusterUser {
        if caller.name == user {
            try await auth.verify(caller)
        } else {
            let uri = org.map { AdminURIs.org($0, in: cluster) } ?? AdminURIs.cluster(cluster)
            try await auth.require(Permission(uri, .read), as: caller)
        }
        guard let member = try await ClusterUserQueries.user(Self.owner(user), in: cluster, org: org, info: info, on: pool) else {
            throw Missing.user(user, in: cluster, org)
        }
        return member
    }

    /// A service account is a member where its owner is.
    static func owner(_ user: String) -> String { String(user.prefix { $0 != "/" }) }

    func addMember(_ request: ClusterUser, to cluster: ClusterName, info: Bool, as caller: Caller) async throws -> ClusterUser {
        let (user, org) = (try Self.userName(request.userName), request.orgName)
        guard let role = request.role else { throw PlatformError.badRequest("role: is required") }
        try await requireManaging(cluster, org, roles: [role], as: caller)
        return try await change(touching: [.clusterUser(cluster, org, user), .user(user)]) { db in
            guard let place = try await ClusterQueries.cluster(cluster, on: db) else { throw Missing.cluster(cluster) }
            guard try await UserQueries.user(user.text, on: db) != nil else { throw Missing.user(user) }
            var quota = request.quota ?? place.defaultQuota ?? .unlimited
            if let org {
                let presence = try await presence(of: org, in: cluster, on: db)
                guard try await OrgQueries.user(user.text, in: org, on: db) != nil else { throw Missing.user(user.text, in: org) }
                quota = request.quota ?? presence.defaultQuota ?? .unlimited
            }
            try await refusing(duplicate: "User '\(user)' already exists in cluster '\(cluster)'") {
                try await ClusterUserQueries.insert(user, role, quota, in: cluster, org: org, on: db)
            }
            let changed = try await joined(user, [.clusterUser(cluster, org, user)], on: db)
            let member = try await stored(user, cluster, org, info: info, on: db)
            try await AuditLog.created(AuditTarget.member(user.text, org?.text, in: cluster.text), member, by: caller, on: db)
            return (member, changed)
        }
    }

    func updateMember(
        _ user: UserName, of cluster: ClusterName, org: OrgName?, _ request: ClusterUser, info: Bool, as caller: Caller
    ) async throws -> ClusterUser {
        guard request.userName == nil || request.userName == user.text else {
            throw PlatformError.badRequest("user_name: must be '\(user)'")
        }
        guard request.orgName == nil || request.orgName == org else { throw PlatformError.badRequest("org_name: differs from the path") }
        guard let role = request.role else { throw PlatformError.badRequest("role: is required") }
        let current = try await ClusterUserQueries.user(user.text, in: cluster, org: org, on: pool)
        try await requireManaging(cluster, org, roles: [role] + (current?.role.map { [$0] } ?? []), as: caller)
        return try await change { db in
            let old = try await locked(user, cluster, org, info: info, on: db)
            try Self.refuse(promoted: old.role == .admin, unless: current?.role == .admin || role == .admin)
            _ = try await ClusterUserQueries.update(user, role, request.quota ?? .unlimited, in: cluster, org: org, on: db)
            let new = try await stored(user, cluster, org, info: info, on: db)
            guard new != old else { return (new, []) }
            let target = AuditTarget.member(user.text, org?.text, in: cluster.text)
            try await AuditLog.record(.update, target, by: caller, old: old, new: new, on: db)
            return (new, old.role == role ? [] : [.clusterUser(cluster, org, user), .user(user)])
        }
    }

    /// Project memberships there go too; what the user made stays.
    func removeMember(_ user: UserName, of cluster: ClusterName, org: OrgName?, as caller: Caller) async throws {
        let current = try await ClusterUserQueries.user(user.text, in: cluster, org: org, on: pool)
        try await requireManaging(cluster, org, roles: current?.role.map { [$0] } ?? [], as: caller)
        try await change(touching: [.clusterUser(cluster, org, user), .user(user)]) { db in
            let old = try await locked(user, cluster, org, info: false, on: db)
            try Self.refuse(promoted: old.role == .admin, unless: current?.role == .admin)
            _ = try await ClusterUserQueries.delete(user, in: cluster, org: org, on: db)
            try await AuditLog.deleted(AuditTarget.member(user.text, org?.text, in: cluster.text), old, by: caller, on: db)
            try await ProjectQueries.delete(user, fromAllIn: ProjectPlace(cluster: cluster, org: org), on: db)
            return ((), [.clusterUser(cluster, org, user), .user(user)])
        }
    }

    /// Sets a quota, or adds to a limited one.
    func changeQuota(
        of user: UserName, in cluster: ClusterName, org: OrgName?, _ request: QuotaChange, key: IdempotencyKey?, info: Bool,
        as caller: Caller
    ) async throws -> ClusterUser {
        try await requireManaging(cluster, org, roles: [], as: caller)
        return try await transaction { db in
            let isNew = try await IdempotencyKey.isNew(key, on: db)
            let old = try await locked(user, cluster, org, info: info, on: db)
            guard isNew else { return old }
            _ = try await ClusterUserQueries.setQuota(request.quota, adding: request.additional, user: user, in: cluster, org: org, on: db)
            let new = try await stored(user, cluster, org, info: info, on: db)
            let target = AuditTarget.member(user.text, org?.text, in: cluster.text)
            try await AuditLog.record(.quota, target, by: caller, old: old.quota, new: new.quota, key: key, on: db)
            return new
        }
    }

    /// Locks the membership, so that what the audit log calls old is what was replaced.
    private func locked(
        _ user: UserName, _ cluster: ClusterName, _ org: OrgName?, info: Bool, on db: PostgresConnection
    ) async throws -> ClusterUser {
        try await ClusterUserQueries.lock(user, in: cluster, org: org, on: db)
        return try await stored(user, cluster, org, info: info, on: db)
    }

    private func stored(
        _ user: UserName, _ cluster: ClusterName, _ org: OrgName?, info: Bool, on db: some Database
    ) async throws -> ClusterUser {
        guard let member = try await ClusterUserQueries.user(user.text, in: cluster, org: org, info: info, on: db) else {
            throw Missing.user(user.text, in: cluster, org)
        }
        return member
    }

    /// Nobody may give or take a role above his own: administrators are made and touched by administrators only.
    private func requireManaging(_ cluster: ClusterName, _ org: OrgName?, roles: [ClusterRole], as caller: Caller) async throws {
        var needed = [Permission(org.map { AdminURIs.org($0, in: cluster, "users") } ?? AdminURIs.clusterUsers(cluster), .write)]
        if roles.contains(.admin) {
            needed.append(Permission(org.map { AdminURIs.org($0, in: cluster, "projects") } ?? AdminURIs.cluster(cluster), .manage))
        }
        try await auth.require(needed.map { [$0] }, as: caller)
    }

    static func userName(_ text: String?) throws -> UserName {
        guard let text else { throw PlatformError.badRequest("user_name: is required") }
        return try UserName(text)
    }
}
