import PlatformClients
import PlatformModel
import Postgres

/// Users.
enum UserQueries {
    static func insert(_ user: AdminUser, on db: some Database) async throws -> AdminUser {
        let rows = try await db.query(
            """
            INSERT INTO users (name, email, first_name, last_name) VALUES (\(user.name), \(user.email), \(user.firstName), \(user.lastName))
            RETURNING *
            """)
        return try row(rows[0])
    }

    static func update(_ user: AdminUser, on db: some Database) async throws -> AdminUser? {
        try await db.query(
            """
            UPDATE users SET email = \(user.email), first_name = \(user.firstName), last_name = \(user.lastName) WHERE name = \(user.name)
            RETURNING *
            """
        ).first.map(row)
    }

    static func user(_ name: String, on db: some Database) async throws -> AdminUser? {
        try await db.query("SELECT * FROM users WHERE name = \(name)").first.map(row)
    }

    static func all(on db: some Database) async throws -> [AdminUser] {
        try await db.query("SELECT * FROM users ORDER BY name").map(row)
    }

    static func orgs(of name: String, on db: some Database) async throws -> [OrgUser] {
        try await db.query("SELECT * FROM org_users WHERE user_name = \(name) ORDER BY org_name").map {
            var user = try OrgQueries.orgUser($0, info: false)
            user.userName = nil
            return user
        }
    }

    static func clusters(of name: String, on db: some Database) async throws -> [ClusterUser] {
        try await db.query(
            """
            \(ClusterUserQueries.select) WHERE cu.user_name = \(name) ORDER BY cu.cluster_name, cu.org_name NULLS LAST
            """
        ).map {
            var user = try ClusterUserQueries.clusterUser($0, info: false)
            user.userName = nil
            return user
        }
    }

    static func projects(of name: String, on db: some Database) async throws -> [ProjectUser] {
        try await db.query(
            """
            \(ProjectQueries.selectUsers) WHERE pu.user_name = \(name) ORDER BY p.cluster_name, p.org_name NULLS LAST, p.name
            """
        ).map {
            var user = try ProjectQueries.projectUser($0, info: false)
            user.userName = nil
            return user
        }
    }

    private static func row(_ row: PostgresRow) throws -> AdminUser {
        AdminUser(
            name: try row.get("name"), email: try row.get("email"), firstName: try row.get("first_name"),
            lastName: try row.get("last_name"),
            createdAt: try row.time("created_at"))
    }

    /// The person's part of a membership row that was joined with `users`. A member without a record must not break a list.
    static func info(_ row: PostgresRow) throws -> UserInfo {
        UserInfo(
            email: try row.get("email", as: String?.self) ?? "", firstName: try row.get("first_name"), lastName: try row.get("last_name"),
            createdAt: try row.get("user_created_at", as: String?.self) == nil ? nil : try row.time("user_created_at"))
    }

    /// The columns that ``info(_:)`` reads.
    static let infoColumns: PostgresQuery = "u.email, u.first_name, u.last_name, u.created_at AS user_created_at"
}
