import PlatformClients
import PlatformModel
import Postgres

/// Organizations and their members.
enum OrgQueries {
    static func insert(_ org: Org, on db: some Database) async throws {
        try await db.execute(
            """
            INSERT INTO orgs (name, credits, user_default_credits)
            VALUES (\(org.name.text), \(org.balance?.credits?.value), \(org.userDefaultCredits?.value))
            """)
    }

    static func all(on db: some Database) async throws -> [Org] { try await db.query("SELECT * FROM orgs ORDER BY name").map(org) }

    static func org(_ name: OrgName, on db: some Database) async throws -> Org? {
        try await db.query("SELECT * FROM orgs WHERE name = \(name.text)").first.map(org)
    }

    static func delete(_ name: OrgName, on db: some Database) async throws {
        try await db.execute("DELETE FROM orgs WHERE name = \(name.text)")
    }

    static func setDefaults(
        _ name: OrgName, credits: Money??, intervals: NotificationIntervals?, on db: some Database
    ) async throws {
        if let credits {
            try await db.execute("UPDATE orgs SET user_default_credits = \(credits?.value) WHERE name = \(name.text)")
        }
        guard let intervals else { return }
        try await db.execute("UPDATE orgs SET notification_intervals = \(PostgresJSON(intervals)) WHERE name = \(name.text)")
    }

    private static func org(_ row: PostgresRow) throws -> Org {
        Org(
            name: try row.name("name"), balance: try balance(row), userDefaultCredits: try row.money("user_default_credits"),
            notificationIntervals: try row.json("notification_intervals", as: NotificationIntervals?.self))
    }

    static func balance(_ row: PostgresRow) throws -> Balance {
        Balance(spentCredits: try row.money("spent_credits") ?? .zero, credits: try row.money("credits"))
    }
}

extension OrgQueries {
    private static let selectUsers: PostgresQuery = """
        SELECT ou.*, \(UserQueries.infoColumns) FROM org_users ou JOIN users u ON u.name = ou.user_name
        """

    static func insert(
        _ user: UserName, _ role: OrgRole, credits: Money?, in org: OrgName, on db: some Database
    ) async throws {
        try await db.execute(
            """
            INSERT INTO org_users (org_name, user_name, role, credits)
            VALUES (\(org.text), \(user.text), \(role.rawValue), \(credits?.value))
            """)
    }

    static func setCredits(_ credits: Money?, of user: UserName, in org: OrgName, on db: some Database) async throws {
        try await db.execute("UPDATE org_users SET credits = \(credits?.value) WHERE org_name = \(org.text) AND user_name = \(user.text)")
    }

    static func setRole(_ role: OrgRole, of user: UserName, in org: OrgName, on db: some Database) async throws {
        try await db.execute("UPDATE org_users SET role = \(role.rawValue) WHERE org_name = \(org.text) AND user_name = \(user.text)")
    }

    static func users(in org: OrgName, roles: [OrgRole], info: Bool, on db: some Database) async throws -> [OrgUser] {
        let filter: PostgresQuery = roles.isEmpty ? "" : "AND ou.role = ANY(\(roles.map(\.rawValue)))"
        return try await db.query("\(selectUsers) WHERE ou.org_name = \(org.text) \(filter) ORDER BY ou.user_name").map {
            try orgUser($0, info: info)
        }
    }

    static func user(_ user: String, in org: OrgName, info: Bool = false, on db: some Database) async throws -> OrgUser? {
        try await db.query("\(selectUsers) WHERE ou.org_name = \(org.text) AND ou.user_name = \(user)").first.map {
            try orgUser($0, info: info)
        }
    }

    static func delete(_ user: UserName, from org: OrgName, on db: some Database) async throws {
        try await db.execute("DELETE FROM org_users WHERE org_name = \(org.text) AND user_name = \(user.text)")
    }

    static func orgUser(_ row: PostgresRow, info: Bool) throws -> OrgUser {
        OrgUser(
            userName: try row.get("user_name"), orgName: try row.name("org_name"), role: try row.get("role"), balance: try balance(row),
            userInfo: info ? try UserQueries.info(row) : nil)
    }
}
