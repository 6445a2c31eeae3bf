import Logging
import PlatformClients
import PlatformModel
import Postgres
import ServiceKit

/// Compares what auth-api holds with the memberships and has the outbox repair what differs: grants that were lost or changed there, roles
/// that outlived their membership.
///
/// Reads only, and one principal at a time, so that a platform of any size is walked without haste.
struct GrantReconciler: Sendable {
    let pool: PostgresPool
    let auth: AuthClient
    let outbox: GrantOutbox
    let logger: Logger

    private static let page = 500

    /// The principals that were found to differ; the sweeper brings them in step.
    @discardableResult
    func run() async throws -> [ManagedPrincipal] {
        var repaired: [ManagedPrincipal] = []
        for org in try await OrgQueries.all(on: pool).map(\.name) { repaired += try await compareRoles(of: org) }
        for cluster in try await ClusterQueries.all(on: pool).map(\.name) { repaired += try await compareRoles(in: cluster) }
        var last = ""
        while true {
            let users = try await pool.query("SELECT name FROM users WHERE name > \(last) ORDER BY name LIMIT \(Self.page)").map {
                try $0.name("name", as: UserName.self)
            }
            for user in users { repaired += try await compare(user) }
            guard let end = users.last, users.count == Self.page else { break }
            last = end.text
        }
        if !repaired.isEmpty {
            let names = try repaired.map { try $0.name.text }
            logger.warning("Grants differed from memberships", metadata: ["principals": .array(names.map { "\($0)" })])
        }
        return repaired
    }

    private func compareRoles(of org: OrgName) async throws -> [ManagedPrincipal] {
        try await note(filter([.orgUser(org), .orgManager(org), .orgAdmin(org)]))
    }

    /// The roles that must be in a cluster, and those that are though they must not.
    private func compareRoles(in cluster: ClusterName) async throws -> [ManagedPrincipal] {
        let orgs = try await ClusterQueries.orgs(in: cluster, on: pool).map(\.orgName)
        let members = try await ClusterUserQueries.users(in: cluster, org: nil, info: false, on: pool)
        var wanted = Set(orgs.flatMap { [ManagedPrincipal.clusterManager(cluster, $0), .clusterAdmin(cluster, $0)] })
        for member in members {
            if let user = try member.userName.map({ try UserName($0) }) { wanted.insert(.clusterUser(cluster, member.orgName, user)) }
        }
        let found = try await subroles(of: PrincipalName(cluster.text))
        let surplus = found.compactMap { ManagedPrincipal(roleIn: cluster, named: $0) }.filter { !wanted.contains($0) }
        return try await note(filter(Array(wanted)) + surplus)
    }

    private func compare(_ user: UserName) async throws -> [ManagedPrincipal] {
        let wanted = Set(try await DesiredGrants.roles(of: user, on: pool).map { try $0.name.roleURI })
        guard let grants = try await auth.permissions(of: user.principal) else { return try await note([.user(user)]) }
        let held = Set(grants.map(\.uri))
        // Roles of this service that somebody else took away, or gave to who is no member.
        let surplus = try await ownRoles(Array(held.subtracting(wanted)))
        guard !surplus.isEmpty || !wanted.isSubset(of: held) else { return [] }
        try await pool.transaction { db in
            try await HeldRoles.note(user, surplus, on: db)
            try await GrantOutbox.note([.user(user)], on: db)
        }
        return [.user(user)]
    }

    /// Those that are roles of an organization or a cluster. People make roles below their own names, and share them as they like.
    private func ownRoles(_ uris: [ResourceURI]) async throws -> [ManagedPrincipal] {
        let roles = uris.compactMap { uri in ManagedPrincipal(memberRole: uri).map { (base: uri.segments[0], role: $0) } }
        guard !roles.isEmpty else { return [] }
        let bases = roles.map(\.base)
        let known = try await pool.query(
            "SELECT name FROM orgs WHERE name = ANY(\(bases)) UNION SELECT name FROM clusters WHERE name = ANY(\(bases))"
        ).map { try $0.get("name", as: String.self) }
        return roles.filter { known.contains($0.base) }.map(\.role)
    }

    /// The roles whose grants are not those they must be.
    private func filter(_ roles: [ManagedPrincipal]) async throws -> [ManagedPrincipal] {
        var different: [ManagedPrincipal] = []
        for role in roles {
            guard let wanted = try await DesiredGrants.role(role, on: pool) else { continue }
            let held = try await auth.permissions(of: role.name)
            if held.map(Self.table) != Self.table(wanted) { different.append(role) }
        }
        return different
    }

    /// The strongest action on each place.
    private static func table(_ permissions: [Permission]) -> [ResourceURI: Action] {
        Dictionary(permissions.map { ($0.uri, $0.action) }) { max($0, $1) }
    }

    private func note(_ principals: [ManagedPrincipal]) async throws -> [ManagedPrincipal] {
        guard !principals.isEmpty else { return [] }
        try await pool.transaction { db in try await GrantOutbox.note(principals, on: db) }
        return principals
    }

    private func subroles(of principal: PrincipalName) async throws -> [PrincipalName] {
        do {
            return try await auth.subroles(of: principal)
        } catch ClientError.status(_, 404, _) {
            return []
        }
    }
}

extension ManagedPrincipal {
    /// A role below a cluster by its name: `{c}/{o}/manager|admin`, `{c}/{o}/users/{u}`, `{c}/users/{u}`; nil for any other.
    init?(roleIn cluster: ClusterName, named name: PrincipalName) {
        let parts = name.segments.map(String.init)
        guard parts.first == cluster.text else { return nil }
        switch (parts.count, parts.dropFirst().first) {
        case (3, "users"):
            guard let user = try? UserName(parts[2]) else { return nil }
            self = .clusterUser(cluster, nil, user)
        case (3, let org?):
            guard let org = try? OrgName(org), ["manager", "admin"].contains(parts[2]) else { return nil }
            self = parts[2] == "manager" ? .clusterManager(cluster, org) : .clusterAdmin(cluster, org)
        case (4, let org?):
            guard parts[2] == "users", let org = try? OrgName(org), let user = try? UserName(parts[3]) else { return nil }
            self = .clusterUser(cluster, org, user)
        default: return nil
        }
    }

    /// A role that users hold as members, by its URI: `role://{o}/user|manager|admin`, `role://{c}/{o}/users/{u}`, `role://{c}/users/{u}`.
    init?(memberRole uri: ResourceURI) {
        guard uri.scheme == .role, let first = uri.segments.first else { return nil }
        if uri.segments.count == 2, let org = try? OrgName(first), let role = OrgRole(rawValue: uri.segments[1]) {
            self = .role(role, of: org)
            return
        }
        guard let cluster = try? ClusterName(first), let name = try? PrincipalName(uri.segments.joined(separator: "/")),
            let role = ManagedPrincipal(roleIn: cluster, named: name), case .clusterUser = role
        else { return nil }
        self = role
    }
}
