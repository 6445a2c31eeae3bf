import Foundation
import Identity
import PlatformModel
import Postgres
import ServiceKit

/// The rules of service accounts: each caller's own, and nobody else's.
struct ServiceAccounts: Sendable {
    struct Wish: Sendable, Decodable {
        let name: String?
        let defaultCluster: String
        let defaultProject: String
        let defaultOrg: String?

        private enum CodingKeys: String, CodingKey {
            case name
            case defaultCluster = "default_cluster"
            case defaultProject = "default_project"
            case defaultOrg = "default_org"
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            func required(_ key: CodingKeys) throws -> String {
                guard container.contains(key) else {
                    throw PlatformError.badRequest("\(key.stringValue): Missing data for required field.")
                }
                return try container.decode(String.self, forKey: key)
            }
            name = try container.decodeIfPresent(String.self, forKey: .name)
            defaultCluster = try required(.defaultCluster)
            defaultProject = try required(.defaultProject)
            defaultOrg = try container.decodeIfPresent(String.self, forKey: .defaultOrg)
        }
    }

    private struct Taken: Encodable {
        let code = "unique"
        let description: String
    }

    static let maximum = 1_000

    let directory: Directory
    let settings: OAuthSettings

    private var pool: PostgresPool { directory.principals.pool }
    private static let columns: PostgresQuery = "id, name, owner, role, default_cluster, default_org, default_project, created_at"

    func list(_ caller: Caller) async throws -> [ServiceAccount] {
        _ = try await directory.ask(caller)
        return try await pool.query(
            "SELECT \(Self.columns) FROM service_accounts WHERE owner = \(caller.name) ORDER BY created_at, id LIMIT \(Self.maximum)"
        ).map { try ServiceAccount($0) }
    }

    /// By id, else by name; somebody else's is not there.
    func find(_ idOrName: String, _ caller: Caller) async throws -> ServiceAccount {
        _ = try await directory.ask(caller)
        let rows = try await pool.query(
            """
            SELECT \(Self.columns) FROM service_accounts WHERE owner = \(caller.name) AND (id = \(idOrName) OR name = \(idOrName))
            ORDER BY id = \(idOrName) DESC LIMIT 1
            """)
        guard let row = rows.first else { throw PlatformError.notFound("service account \"\(idOrName)\" was not found") }
        return try ServiceAccount(row)
    }

    /// Makes the account, its role and its token, all or nothing. The role holds nothing yet.
    func create(_ wish: Wish, _ caller: Caller) async throws -> ServiceAccount {
        _ = try await directory.ask(caller)
        // Whoever got hold of a job's token must not make a lasting one of it.
        guard caller.tokenURI == nil else { throw PlatformError.forbidden() }
        if let name = wish.name, let refusal = ServiceAccount.refusal(of: name) { throw PlatformError.badRequest(refusal) }
        for (key, value) in [("default_cluster", wish.defaultCluster), ("default_project", wish.defaultProject)] where value.isEmpty {
            throw PlatformError.badRequest("\(key): must not be empty")
        }
        let suffix = wish.name ?? String(UInt64.random(in: .min ... .max), radix: 16).padded(to: 16)
        let role = try PrincipalName("\(caller.name)/service-accounts/\(suffix)")
        let entry = Directory.entry(.serviceAccountCreated, by: caller, on: role)
        var account = try await store(wish, role, caller, noting: entry)
        directory.audit.tell(entry)
        // Without Redis the account is there all the same: nothing was revoked, and the sweep of the outbox brings it.
        try? await directory.publish([role.text])
        account.token = try await passedConfiguration(account, role)
        return account
    }

    /// Removes the account; its token stops working at once.
    func delete(_ idOrName: String, _ caller: Caller) async throws {
        let account = try await find(idOrName, caller)
        // Nor may it take the owner's own away.
        guard caller.tokenURI == nil else { throw PlatformError.forbidden() }
        let role = PrincipalName(checked: account.role)
        let entry = Directory.entry(.serviceAccountDeleted, by: caller, on: role)
        if let changed = try await directory.repeatingDeadlocks({ try await directory.principals.delete(role, noting: entry) }) {
            directory.audit.tell(entry)
            try await directory.publish(changed)
        }
        try await pool.execute("DELETE FROM service_accounts WHERE id = \(account.id)")
    }

    private func store(
        _ wish: Wish, _ role: PrincipalName, _ caller: Caller, noting entry: AuditEntry
    ) async throws -> ServiceAccount {
        do {
            return try await pool.transaction { connection in
                let id = "service-account-" + UUID().uuidString.lowercased()
                let rows = try await connection.query(
                    """
                    INSERT INTO service_accounts (id, name, owner, role, default_cluster, default_org, default_project)
                    SELECT \(id), \(wish.name), \(caller.name), \(role.text), \(wish.defaultCluster), \(wish.defaultOrg), \(wish.defaultProject)
                    WHERE (SELECT count(*) FROM service_accounts WHERE owner = \(caller.name)) < \(Self.maximum)
                    RETURNING \(Self.columns)
                    """)
                guard let row = rows.first else {
                    throw PlatformError.badRequest("There are \(Self.maximum) service accounts already; remove some first.")
                }
                guard try await directory.principals.create(role, on: connection) else {
                    throw Self.taken("The role \(role) already exists")
                }
                try await AuditLog.record(entry, on: connection)
                return try ServiceAccount(row)
            }
        } catch let error as PostgresError where error.isUniqueViolation("service_accounts_name") {
            throw Self.taken("A service account with this name already exists")
        } catch let error as PostgresError where error.isForeignKeyViolation() {
            throw PlatformError.unauthorized("The token is not valid any more")
        }
    }

    private func passedConfiguration(_ account: ServiceAccount, _ role: PrincipalName) async throws -> String {
        let validFrom = try await directory.principals.validFrom(role) ?? 0
        let token = try await directory.signer.sign(
            TokenClaims(
                name: role, issuedAt: max(Date(), Date(timeIntervalSince1970: validFrom)), id: UUID().uuidString.lowercased()))
        let blob = PassedConfiguration(
            token: token, cluster: account.defaultCluster, url: settings.issuer + "/api/v1", orgName: account.defaultOrg,
            projectName: account.defaultProject)
        return try PlatformJSON.encoder().encode(blob).base64EncodedString()
    }

    private static func taken(_ description: String) -> PlatformError {
        PlatformError(.conflict, description, code: "unique", body: Taken(description: description))
    }
}

extension String {
    fileprivate func padded(to length: Int) -> String { String(repeating: "0", count: max(0, length - count)) + self }
}
