import Identity
import PlatformClients
import PlatformModel
import ServiceKit

extension Directory {
    /// The organizations that the caller may see.
    func orgs(as caller: Caller) async throws -> [Org] {
        let tree = try await auth.tree(ResourceURI(.org), as: caller)
        return try await OrgQueries.all(on: pool).filter { tree.action(on: AdminURIs.org($0.name)) >= .read }
    }

    /// Strangers cannot tell an organization that is not there from one that is not theirs.
    func org(_ name: OrgName, as caller: Caller) async throws -> Org {
        try await requireAccess(to: name, .read, as: caller)
        guard let org = try await OrgQueries.org(name, on: pool) else { throw Missing.org(name) }
        return org
    }

    /// The creator becomes the organization's administrator, and it joins the default clusters unless asked not to.
    func createOrg(_ request: Org, joiningDefaults: Bool, as caller: Caller) async throws -> Org {
        let counted = try await !auth.check([Self.operates], as: caller).isEmpty
        let name = request.name
        try NewNames.check(name)
        try await NewNames.checkFree(name, auth: auth, on: pool)
        let creator = try await user(of: caller, on: pool)
        return try await change(touching: ManagedPrincipal.roles(of: name) + (creator.map { [.user($0)] } ?? [])) { db in
            if counted { try await limits.check(.orgs, of: caller, on: db) }
            try await NewNames.reserve(name, on: db)
            var clusters: [AdminCluster] = []
            if joiningDefaults {
                for cluster in defaultClusters {
                    if let found = try await ClusterQueries.cluster(cluster, on: db) { clusters.append(found) }
                }
            }
            var org = Org(name: name, userDefaultCredits: request.userDefaultCredits)
            org.balance = Balance(credits: clusters.first?.defaultCredits)
            try await refusing(duplicate: "Organization '\(name)' already exists") { try await OrgQueries.insert(org, on: db) }
            var changed = ManagedPrincipal.roles(of: name)
            if let creator {
                try await OrgQueries.insert(creator, .admin, credits: nil, in: name, on: db)
                changed += try await joined(creator, [.orgAdmin(name)], on: db)
            }
            for cluster in clusters {
                let presence = OrgCluster(
                    orgName: name, quota: cluster.defaultQuota, defaultQuota: cluster.defaultQuota, defaultRole: cluster.defaultRole)
                changed += try await join(presence, to: cluster.name, on: db)
            }
            guard let stored = try await OrgQueries.org(name, on: db) else { throw Missing.org(name) }
            try await AuditLog.created("orgs/\(name)", stored, by: caller, on: db)
            return (stored, changed)
        }
    }

    func deleteOrg(_ name: OrgName, as caller: Caller) async throws -> Org {
        try await requireAccess(to: name, .write, as: caller)
        return try await change { db in
            guard let org = try await OrgQueries.org(name, on: db) else { throw Missing.org(name) }
            var changed = ManagedPrincipal.roles(of: name)
            for presence in try await ClusterQueries.clusters(of: name, on: db) {
                guard let cluster = presence.clusterName else { continue }
                changed += try await memberRoles(in: cluster, org: name, on: db)
                changed += [.clusterManager(cluster, name), .clusterAdmin(cluster, name)]
                let place = ProjectPlace(cluster: cluster, org: name)
                for project in try await ProjectQueries.projects(in: place, on: db) {
                    try await ProjectRemovals.announce(project.name, in: place, by: caller, on: db)
                }
            }
            for member in try await OrgQueries.users(in: name, roles: [], info: false, on: db) {
                if let user = try member.userName.map({ try UserName($0) }) { changed.append(.user(user)) }
            }
            try await OrgQueries.delete(name, on: db)
            try await AuditLog.deleted("orgs/\(name)", org, by: caller, on: db)
            return (org, changed)
        }
    }

    /// What new members get, and when the management is told of the balance.
    func changeDefaults(of name: OrgName, _ request: OrgDefaults, as caller: Caller) async throws -> Org {
        try await auth.require(Permission(AdminURIs.org(name, "users"), .write), as: caller)
        return try await transaction { db in
            _ = try await db.query("SELECT 1 FROM orgs WHERE name = \(name.text) FOR UPDATE")
            let old = try await OrgQueries.org(name, on: db)
            try await OrgQueries.setDefaults(name, credits: request.credits, intervals: request.intervals, on: db)
            guard let old, let org = try await OrgQueries.org(name, on: db) else { throw Missing.org(name) }
            try await AuditLog.record(.defaults, "orgs/\(name)", by: caller, old: old, new: org, on: db)
            return org
        }
    }

    /// Answers 403 with the text that clients show, the same for an unknown organization; members are told what they lack.
    func requireAccess(to name: OrgName, _ action: Action, as caller: Caller) async throws {
        let (read, needed) = (Permission(AdminURIs.org(name), .read), Permission(AdminURIs.org(name), action))
        let missing = try await auth.check(action == .read ? [read] : [read, needed], as: caller)
        guard !missing.contains(read) else { throw Self.noAccess(caller, name) }
        guard missing.isEmpty else { throw PlatformError(.forbidden, "Forbidden", body: MissingPermissions(missing: missing)) }
    }

    static func noAccess(_ caller: Caller, _ org: OrgName) -> PlatformError {
        .forbidden("User \(caller.name) does not have access to org \(org)")
    }
}

/// The body of `PATCH orgs/{o}/defaults`.
struct OrgDefaults: Decodable, Sendable {
    /// Outer nil: stays as it is; inner nil: unlimited.
    let credits: Money??
    let intervals: NotificationIntervals?

    private enum CodingKeys: String, CodingKey {
        case credits
        case intervals = "notification_intervals"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        credits = container.contains(.credits) ? .some(try container.decodeMoneyIfPresent(forKey: .credits)) : .none
        intervals = try container.decodeIfPresent(NotificationIntervals.self, forKey: .intervals)
    }
}
