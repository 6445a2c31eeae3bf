import PlatformClients
import PlatformModel
import Postgres
import ServiceKit

/// The body of a charge.
struct SpendingRequest: Codable, Sendable {
    /// Negative: a refund.
    let spending: Money
}

/// The body of `POST clusters/{c}/debts`.
struct DebtRequest: Codable, Sendable {
    let credits: Money
    let org: OrgName?
    let user: String?

    private enum CodingKeys: String, CodingKey {
        case credits
        case org = "org_name"
        case user = "user_name"
    }
}

extension Directory {
    func spend(_ request: SpendingRequest, of org: OrgName, key: IdempotencyKey?, as caller: Caller) async throws -> Org {
        try await requireBilling(request.spending, in: hosts(of: org, caller), as: caller)
        return try await transaction { db in
            try await apply(.spend(request.spending), to: org, key: key, as: caller, on: db)
        }
    }

    func spend(
        _ request: SpendingRequest, of user: String, in org: OrgName, key: IdempotencyKey?, info: Bool, as caller: Caller
    ) async throws -> OrgUser {
        try await requireBilling(request.spending, in: hosts(of: org, caller), as: caller)
        return try await transaction { db in
            try await apply(.spend(request.spending), to: Self.owner(user), of: org, key: key, info: info, as: caller, on: db)
        }
    }

    /// The organization is charged, wherever it spent.
    func spend(
        _ request: SpendingRequest, of org: OrgName, in cluster: ClusterName, key: IdempotencyKey?, as caller: Caller
    ) async throws -> OrgCluster {
        try await requireBilling(request.spending, in: [cluster], as: caller)
        return try await transaction { db in
            _ = try await presence(of: org, in: cluster, on: db)
            _ = try await apply(.spend(request.spending), to: org, key: key, as: caller, on: db)
            return try await presence(of: org, in: cluster, on: db)
        }
    }

    /// What a member of a cluster spends is charged to the membership in the organization.
    func spend(
        _ request: SpendingRequest, of user: String, org: OrgName, in cluster: ClusterName, key: IdempotencyKey?, info: Bool,
        as caller: Caller
    ) async throws -> ClusterUser {
        try await requireBilling(request.spending, in: [cluster], as: caller)
        return try await changeMember(user, org, in: cluster, .spend(request.spending), key: key, info: info, as: caller)
    }

    /// As ``changeBalance(of:in:_:key:info:as:)-(String,_,_,_,_,_)``, answered with the membership in the cluster.
    func changeBalance(
        of user: String, org: OrgName, in cluster: ClusterName, _ request: BalanceChange, key: IdempotencyKey?, info: Bool,
        as caller: Caller
    ) async throws -> ClusterUser {
        try await auth.require(Permission(AdminURIs.org(org, "users"), .write), as: caller)
        return try await changeMember(user, org, in: cluster, .change(request), key: key, info: info, as: caller)
    }

    /// Records a charge whose member is gone. Who is a member again by now is charged; the services of a cluster charge those of it alone.
    func recordDebt(_ request: DebtRequest, in cluster: ClusterName, key: IdempotencyKey?, as caller: Caller) async throws {
        let user = try request.user.map { try PrincipalName($0).base.text }
        guard user == nil || request.org != nil else { throw PlatformError.badRequest("org_name: is required with user_name") }
        try await requireBilling(request.credits, in: [cluster], as: caller)
        try await transaction { db in
            guard try await IdempotencyKey.isNew(key, on: db) else { return }
            try await db.execute(
                """
                INSERT INTO debts (cluster_name, org_name, user_name, credits)
                VALUES (\(cluster.text), \(request.org?.text), \(user), \(request.credits.value))
                """)
            try await AuditLog.record(
                .debt, AuditTarget.cluster(cluster.text), by: caller, old: String?.none, new: request, key: key, on: db)
            guard let org = request.org else { return }
            if caller.kind == .cluster, try await ClusterQueries.org(org, in: cluster, on: db) == nil { return }
            if let user {
                guard try await OrgQueries.user(user, in: org, on: db) != nil else { return }
                _ = try await apply(.spend(request.credits), to: user, of: org, key: nil, info: false, as: caller, on: db)
            } else if try await OrgQueries.org(org, on: db) != nil {
                _ = try await apply(.spend(request.credits), to: org, key: nil, as: caller, on: db)
            }
        }
    }

    private func changeMember(
        _ user: String, _ org: OrgName, in cluster: ClusterName, _ operation: BalanceOperation, key: IdempotencyKey?, info: Bool,
        as caller: Caller
    ) async throws -> ClusterUser {
        try await transaction { db in
            func stored() async throws -> ClusterUser {
                let name = Self.owner(user)
                guard let member = try await ClusterUserQueries.user(name, in: cluster, org: org, info: info, on: db) else {
                    throw Missing.user(user, in: cluster, org)
                }
                return member
            }
            _ = try await stored()
            _ = try await apply(operation, to: Self.owner(user), of: org, key: key, info: false, as: caller, on: db)
            return try await stored()
        }
    }

    /// The clusters whose services may charge an organization; asked for a cluster's token alone.
    private func hosts(of org: OrgName, _ caller: Caller) async throws -> [ClusterName] {
        guard caller.kind == .cluster else { return [] }
        return try await ClusterQueries.clusters(of: org, on: pool).compactMap(\.clusterName)
    }

    /// Charging is for the billing service, and for the services of a cluster what is spent there; giving back is for the former alone.
    /// Who manages a cluster or an organization, whatever else he may do, is no biller.
    private func requireBilling(_ amount: Money, in clusters: [ClusterName], as caller: Caller) async throws {
        if caller.kind == .cluster, amount >= .zero, let own = clusters.first(where: { $0.text == caller.cluster }) {
            try await auth.require(Permission(AdminURIs.cluster(own), .read), as: caller)
        } else {
            try await auth.require(Self.operates, as: caller)
        }
    }
}
