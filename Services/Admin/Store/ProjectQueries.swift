import PlatformClients
import PlatformModel
import Postgres

/// Where a project is: a cluster, and an organization unless it is a legacy one.
struct ProjectPlace: Hashable, Sendable {
    let cluster: ClusterName
    let org: OrgName?

    func filter(_ alias: String = "") -> PostgresQuery {
        let column = alias.isEmpty ? "" : alias + "."
        let org: PostgresQuery = org.map { "\(raw: column)org_name = \($0.text)" } ?? "\(raw: column)org_name IS NULL"
        return "\(raw: column)cluster_name = \(cluster.text) AND \(org)"
    }
}

/// Projects and their members.
enum ProjectQueries {
    static func insert(_ project: CreateProjectRequest, in place: ProjectPlace, on db: some Database) async throws -> Project {
        let rows = try await db.query(
            """
            INSERT INTO projects (cluster_name, org_name, name, is_default, default_role, has_virtual_kube)
            VALUES (\(place.cluster.text), \(place.org?.text), \(project.name.text), \(project.isDefault ?? false),
                \((project.defaultRole ?? .writer).rawValue), \(project.hasVirtualKube ?? false))
            RETURNING *
            """)
        return try self.project(rows[0])
    }

    static func update(
        _ name: ProjectName, in place: ProjectPlace, isDefault: Bool, role: ProjectRole, on db: some Database
    ) async throws -> Project? {
        try await db.query(
            """
            UPDATE projects SET is_default = \(isDefault), default_role = \(role.rawValue) WHERE name = \(name.text) AND \(place.filter())
            RETURNING *
            """
        ).first.map(project)
    }

    static func delete(_ name: ProjectName, in place: ProjectPlace, on db: some Database) async throws -> Project? {
        try await db.query("DELETE FROM projects WHERE name = \(name.text) AND \(place.filter()) RETURNING *").first.map(project)
    }

    static func projects(in place: ProjectPlace, on db: some Database) async throws -> [Project] {
        try await db.query("SELECT * FROM projects WHERE \(place.filter()) ORDER BY name").map(project)
    }

    /// Of all organizations.
    static func projects(in cluster: ClusterName, on db: some Database) async throws -> [Project] {
        try await db.query("SELECT * FROM projects WHERE cluster_name = \(cluster.text) ORDER BY org_name NULLS LAST, name").map(project)
    }

    static func project(_ name: ProjectName, in place: ProjectPlace, on db: some Database) async throws -> Project? {
        try await db.query("SELECT * FROM projects WHERE name = \(name.text) AND \(place.filter())").first.map(project)
    }

    private static func project(_ row: PostgresRow) throws -> Project {
        Project(
            name: try row.name("name"), clusterName: try row.name("cluster_name"), orgName: try row.nameIfPresent("org_name"),
            isDefault: try row.get("is_default"), defaultRole: try row.get("default_role"), hasVirtualKube: try row.get("has_virtual_kube"))
    }
}

extension ProjectQueries {
    static let selectUsers: PostgresQuery = """
        SELECT pu.role, pu.user_name, p.name AS project_name, p.cluster_name, p.org_name, \(UserQueries.infoColumns)
        FROM project_users pu JOIN projects p ON p.id = pu.project_id JOIN users u ON u.name = pu.user_name
        """

    static func insert(
        _ user: UserName, _ role: ProjectRole, in project: ProjectName, _ place: ProjectPlace, on db: some Database
    ) async throws {
        try await db.execute(
            """
            INSERT INTO project_users (project_id, user_name, role)
            SELECT id, \(user.text), \(role.rawValue) FROM projects WHERE name = \(project.text) AND \(place.filter())
            """)
    }

    static func setRole(
        _ role: ProjectRole, of user: UserName, in project: ProjectName, _ place: ProjectPlace, on db: some Database
    ) async throws {
        try await db.execute(
            """
            UPDATE project_users pu SET role = \(role.rawValue) FROM projects p
            WHERE p.id = pu.project_id AND p.name = \(project.text) AND \(place.filter("p")) AND pu.user_name = \(user.text)
            """)
    }

    static func delete(_ user: UserName, from project: ProjectName, _ place: ProjectPlace, on db: some Database) async throws {
        try await db.execute(
            """
            DELETE FROM project_users pu USING projects p
            WHERE p.id = pu.project_id AND p.name = \(project.text) AND \(place.filter("p")) AND pu.user_name = \(user.text)
            """)
    }

    /// Removes a user from every project of a place.
    static func delete(_ user: UserName, fromAllIn place: ProjectPlace, on db: some Database) async throws {
        try await db.execute(
            """
            DELETE FROM project_users pu USING projects p
            WHERE p.id = pu.project_id AND \(place.filter("p")) AND pu.user_name = \(user.text)
            """)
    }

    static func users(
        in project: ProjectName, _ place: ProjectPlace, info: Bool = false, on db: some Database
    ) async throws -> [ProjectUser] {
        try await db.query(
            "\(selectUsers) WHERE p.name = \(project.text) AND \(place.filter("p")) ORDER BY pu.user_name"
        ).map { try projectUser($0, info: info) }
    }

    static func user(
        _ user: String, in project: ProjectName, _ place: ProjectPlace, info: Bool = false, on db: some Database
    ) async throws -> ProjectUser? {
        try await db.query(
            "\(selectUsers) WHERE p.name = \(project.text) AND \(place.filter("p")) AND pu.user_name = \(user)"
        ).first.map { try projectUser($0, info: info) }
    }

    /// Locks the project, so that two requests cannot each remove "not the last" administrator. The number of its administrators.
    static func lockCountingAdmins(_ project: ProjectName, _ place: ProjectPlace, on db: some Database) async throws -> Int {
        _ = try await db.query("SELECT id FROM projects WHERE name = \(project.text) AND \(place.filter()) FOR UPDATE")
        return try await users(in: project, place, on: db).count { $0.role == .admin }
    }

    static func projectUser(_ row: PostgresRow, info: Bool) throws -> ProjectUser {
        ProjectUser(
            projectName: try row.name("project_name"), clusterName: try row.name("cluster_name"),
            orgName: try row.nameIfPresent("org_name"),
            userName: try row.get("user_name"), role: try row.get("role"), userInfo: info ? try UserQueries.info(row) : nil)
    }
}
