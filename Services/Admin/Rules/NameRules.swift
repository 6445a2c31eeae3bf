import PlatformClients
import PlatformModel
import ServiceKit

/// What names of new clusters, organizations, projects and users must not be.
enum NewNames {
    /// Words that are parts of routes, URIs and role names.
    private static let reserved: Set<String> = [
        "users", "orgs", "new", "roles", "manager", "admin", "user", "access", "defaults", "projects", "cluster",
    ]
    /// Principals that are there from the start and stand for no person: whoever was made a user of that name would act as them.
    private static let builtIn: Set<String> = [
        "cluster", "compute", "public", "user", "admin-api", "auth-api", "config-api", "ingress-auth", "jobs-api", "monitoring-api",
        "disk-api",
    ]

    /// Roles are named below clusters and organizations, and a segment of a role's name holds 63 characters.
    static func check(_ name: any PlatformName) throws {
        guard !reserved.contains(name.text) else { throw PlatformError.badRequest("The name '\(name)' is reserved") }
        guard name.text.utf8.count <= 63 else { throw PlatformError.badRequest("The name '\(name)' is longer than 63 characters") }
    }

    /// config-api makes addresses of a cluster's name.
    static func check(cluster: ClusterName) throws {
        try check(cluster)
        guard cluster.text.utf8.count <= 40 else { throw PlatformError.badRequest("The name '\(cluster)' is longer than 40 characters") }
    }

    static func check(_ user: UserName) throws {
        guard !builtIn.contains(user.text), user.text == "admin" || !reserved.contains(user.text) else {
            throw PlatformError.badRequest("The name '\(user)' is reserved")
        }
    }

    /// Until the end of the transaction nobody else takes the name, and no user has it.
    static func reserve(_ name: any PlatformName, on db: some Database) async throws {
        _ = try await db.query("SELECT pg_advisory_xact_lock(hashtextextended(\("name \(name.text)"), 0))")
        guard !(name is UserName) else { return }
        let users = try await db.query("SELECT 1 FROM users WHERE name = \(name.text)")
        guard users.isEmpty else { throw PlatformError.conflict("The name '\(name)' is taken") }
    }

    /// All principals share one name space: a user who was named like an organization would rule the organization's roles.
    static func checkFree(_ name: any PlatformName, auth: AuthClient, on db: some Database) async throws {
        let shared = try await db.query(
            "SELECT 1 FROM clusters WHERE name = \(name.text) UNION ALL SELECT 1 FROM orgs WHERE name = \(name.text)")
        if !shared.isEmpty { return }
        if try await auth.exists(PrincipalName(name.text)) { throw PlatformError.conflict("The name '\(name)' is taken") }
    }
}
