import PlatformClients
import PlatformModel
import Postgres
import ServiceKit

/// What happens to a balance.
enum BalanceOperation: Sendable {
    case change(BalanceChange)
    /// Also below zero, and of unlimited balances too. Negative: a refund.
    case spend(Money)

    /// The assignments of an UPDATE: the database does the sums, so that no other change is lost. Unlimited plus anything stays unlimited.
    var assignments: PostgresQuery {
        switch self {
        case .spend(let amount): "credits = credits - \(amount.value), spent_credits = spent_credits + \(amount.value)"
        case .change(let change):
            if let additional = change.additional {
                "credits = credits + \(additional.value)"
            } else {
                "credits = \((change.credits ?? nil)?.value)"
            }
        }
    }

    var event: AuditLog.Event {
        switch self {
        case .spend: .spending
        case .change: .balance
        }
    }
}

extension Directory {
    /// Sets or adds to the balance of an organization: for who provides for it, not for its own managers.
    func changeBalance(of org: OrgName, _ request: BalanceChange, key: IdempotencyKey?, as caller: Caller) async throws -> Org {
        try await requireProviding(for: org, as: caller)
        return try await transaction { db in try await apply(.change(request), to: org, key: key, as: caller, on: db) }
    }

    /// Sets or adds to the balance of a member.
    func changeBalance(
        of user: String, in org: OrgName, _ request: BalanceChange, key: IdempotencyKey?, info: Bool, as caller: Caller
    ) async throws -> OrgUser {
        try await auth.require(Permission(AdminURIs.org(org, "users"), .write), as: caller)
        return try await transaction { db in
            try await apply(.change(request), to: Self.owner(user), of: org, key: key, info: info, as: caller, on: db)
        }
    }

    /// An organization's credits count in all its clusters, and anybody can make one more: they are set by who manages every cluster that
    /// the organization is in (`joined` is about to be one), or by operators of the platform.
    ///
    /// Strangers are not told which clusters those are, nor whether there is such an organization.
    func requireProviding(for org: OrgName, and joined: ClusterName? = nil, as caller: Caller) async throws {
        let hosts = try await Set(ClusterQueries.clusters(of: org, on: pool).compactMap(\.clusterName) + (joined.map { [$0] } ?? []))
        let places = hosts.sorted { $0.text < $1.text }.map { Permission(AdminURIs.org(org, in: $0), .write) }
        let read = Permission(AdminURIs.org(org), .read)
        let missing = Set(try await auth.check(places + [Self.operates, read], as: caller))
        guard missing.contains(Self.operates), places.isEmpty || !missing.isDisjoint(with: places) else { return }
        guard places.allSatisfy(missing.contains) else {
            throw PlatformError.forbidden(
                "The credits of org \(org) count in every cluster it is in: only who manages all of them, or the platform, may change them")
        }
        guard !missing.contains(read) else { throw Self.noAccess(caller, org) }
        throw PlatformError(.forbidden, "Forbidden", body: MissingPermissions(missing: places.isEmpty ? [Self.operates] : places))
    }

    func apply(
        _ operation: BalanceOperation, to org: OrgName, key: IdempotencyKey?, as caller: Caller, on db: PostgresConnection
    ) async throws -> Org {
        let isNew = try await IdempotencyKey.isNew(key, on: db)
        _ = try await db.query("SELECT name FROM orgs WHERE name = \(org.text) FOR UPDATE")
        guard let old = try await OrgQueries.org(org, on: db) else { throw Missing.org(org) }
        guard isNew else { return old }
        try await db.execute("UPDATE orgs SET \(operation.assignments) WHERE name = \(org.text)")
        guard let new = try await OrgQueries.org(org, on: db) else { throw Missing.org(org) }
        try await AuditLog.record(
            operation.event, "orgs/\(org)", by: caller, old: old.balance, new: new.balance, key: key, on: db)
        return new
    }

    func apply(
        _ operation: BalanceOperation, to user: String, of org: OrgName, key: IdempotencyKey?, info: Bool, as caller: Caller,
        on db: PostgresConnection
    ) async throws -> OrgUser {
        let isNew = try await IdempotencyKey.isNew(key, on: db)
        let filter: PostgresQuery = "org_name = \(org.text) AND user_name = \(user)"
        _ = try await db.query("SELECT 1 FROM org_users WHERE \(filter) FOR UPDATE")
        guard let old = try await OrgQueries.user(user, in: org, info: info, on: db) else { throw Missing.user(user, in: org) }
        guard isNew else { return old }
        try await db.execute("UPDATE org_users SET \(operation.assignments) WHERE \(filter)")
        guard let new = try await OrgQueries.user(user, in: org, info: info, on: db) else { throw Missing.user(user, in: org) }
        try await AuditLog.record(
            operation.event, "orgs/\(org)/users/\(user)", by: caller, old: old.balance, new: new.balance, key: key, on: db)
        return new
    }
}
