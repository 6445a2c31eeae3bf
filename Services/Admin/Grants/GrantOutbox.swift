import Foundation
import Logging
import PlatformClients
import PlatformModel
import Postgres
import ServiceKit

/// Brings auth-api in step with the memberships: changes are noted in the transaction that makes them and applied by whoever comes first,
/// the request itself or a sweeper of any replica.
///
/// A principal is always brought to what the database says at that moment, under a lock of its own, so that applying twice, late or in
/// another order does no harm.
struct GrantOutbox: Sendable {
    let pool: PostgresPool
    let auth: AuthClient
    let logger: Logger
    /// How long a request waits for auth-api to take its change.
    var patience = Duration.seconds(10)

    /// Notes in the caller's transaction that these principals changed.
    static func note(_ principals: [ManagedPrincipal], on db: some Database) async throws {
        for principal in Set(principals) {
            let parts = principal.parts
            try await db.execute(
                """
                INSERT INTO grant_outbox (principal, kind, cluster_name, org_name, user_name, rank)
                VALUES (\(principal.name.text), \(principal.kind), \(parts.cluster), \(parts.org), \(parts.user), \(principal.rank))
                """)
        }
    }

    /// Applies what is noted for these principals and for the roles they hold, roles first.
    /// - Throws: 503 when auth-api does not take it in time; the change stands and reaches it later.
    func flush(_ principals: [ManagedPrincipal]) async throws {
        do {
            try await withTimeout(patience) {
                var all = Set(principals)
                for case .user(let user) in principals { all.formUnion(try await DesiredGrants.roles(of: user, on: pool)) }
                for role in all { all.formUnion(try await Self.prerequisites(of: role, on: pool)) }
                let pending = try await self.pending(all)
                for principal in pending.sorted(by: { $0.rank < $1.rank }) { try await apply(principal) }
            }
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            logger.warning("Grants wait for auth-api", metadata: ["error": "\(error)"])
            throw PlatformError.unavailable("The change is stored, but auth-api has not taken it yet; the same request may be repeated.")
        }
    }

    /// Applies whatever is noted, roles first; true when there was nothing.
    func sweep() async throws -> Bool {
        let rows = try await pool.query(
            """
            SELECT DISTINCT ON (rank, principal) rank, principal, kind, cluster_name, org_name, user_name FROM grant_outbox
            ORDER BY rank, principal LIMIT 200
            """)
        for row in rows {
            guard let principal = try Self.principal(row) else { continue }
            let name = try principal.name
            do {
                try await apply(principal)
            } catch let error as ClientError where error.code.map({ $0 < 500 }) ?? false {
                // One that auth-api refuses must not hold up the others.
                logger.error("auth-api refuses a change of grants", metadata: ["principal": "\(name)", "error": "\(error)"])
            }
        }
        return rows.isEmpty
    }

    private func pending(_ principals: Set<ManagedPrincipal>) async throws -> [ManagedPrincipal] {
        let rows = try await pool.query(
            """
            SELECT DISTINCT principal, kind, cluster_name, org_name, user_name FROM grant_outbox
            WHERE principal = ANY(\(principals.map { try $0.name.text }))
            """)
        return try rows.compactMap(Self.principal)
    }

    private static func prerequisites(of role: ManagedPrincipal, on db: some Database) async throws -> [ManagedPrincipal] {
        switch role {
        case .clusterUser(let cluster, let org?, _): ManagedPrincipal.roles(of: org, in: cluster)
        case .clusterUser(let cluster, nil, _): [.base(cluster.text)]
        case .orgUser(let org), .orgManager(let org), .orgAdmin(let org):
            try await ManagedPrincipal.roles(of: org)
                + ClusterQueries.clusters(of: org, on: db).compactMap(\.clusterName).flatMap { ManagedPrincipal.roles(of: org, in: $0) }
        case .clusterManager(let cluster, let org), .clusterAdmin(let cluster, let org): ManagedPrincipal.roles(of: org, in: cluster)
        case .base, .user: []
        }
    }

    private static func principal(_ row: PostgresRow) throws -> ManagedPrincipal? {
        try ManagedPrincipal(
            kind: row.get("kind"), cluster: row.get("cluster_name"), org: row.get("org_name"), user: row.get("user_name"))
    }

    /// Brings one principal up to date and forgets what was noted for it before.
    private func apply(_ principal: ManagedPrincipal) async throws {
        let name = try principal.name
        try await pool.transaction { connection in
            _ = try await connection.query("SELECT pg_advisory_xact_lock(hashtextextended(\("grants " + name.text), 0))")
            // Only what is noted by now: a change committed later is noted again and read again.
            let ids = try await connection.query("SELECT id FROM grant_outbox WHERE principal = \(name.text)").map {
                try $0.get("id", as: Int.self)
            }
            guard !ids.isEmpty else { return }
            if case .user(let user) = principal {
                try await applyUser(user, on: connection)
            } else {
                try await applyRole(principal, name, on: connection)
            }
            try await connection.execute("DELETE FROM grant_outbox WHERE id = ANY(\(ids))")
        }
    }

    private func applyRole(_ principal: ManagedPrincipal, _ name: PrincipalName, on db: some Database) async throws {
        guard let permissions = try await DesiredGrants.role(principal, on: db) else {
            try await auth.deleteUser(name)
            return
        }
        if case .base = principal {
            try await auth.createUser(name)
            return
        }
        do {
            try await auth.replacePermissions(permissions, of: name)
        } catch ClientError.status(_, 404, _) {
            try await auth.createUser(name.base)
            try await auth.createUser(name)
            try await auth.replacePermissions(permissions, of: name)
        }
        // A new role may administer itself, and by expansion so could all its members: they could pass it on to anyone.
        try await auth.revoke([name.roleURI, name.userURI], from: name)
    }

    private func applyUser(_ user: UserName, on db: some Database) async throws {
        let wanted = Set(try await DesiredGrants.roles(of: user, on: db).map { try $0.name })
        let held = try await db.query("SELECT role_name FROM held_roles WHERE user_name = \(user.text)").map {
            try $0.name("role_name", as: PrincipalName.self)
        }
        // Every principal a user record stands for exists, whatever else it holds.
        try await auth.createUser(user.principal)
        if !wanted.isEmpty {
            try await auth.grant(wanted.sorted().map { Permission($0.roleURI, .read) }, to: user.principal)
        }
        let surplus = held.filter { !wanted.contains($0) }
        try await auth.revoke(surplus.map(\.roleURI), from: user.principal)
        try await db.execute("DELETE FROM held_roles WHERE user_name = \(user.text) AND role_name = ANY(\(surplus.map(\.text)))")
    }
}
