import Logging
import PlatformClients
import PlatformModel
import Postgres
import TestSupport
import Testing

@testable import AdminService

/// What goes with what is deleted: members, projects, their grants, and the news of it.
@Suite struct CascadeTests {
    private let org = OrgName(checked: "default")

    private func with(_ body: (Platform, PostgresPool) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await Platform.withDefaults(settings: ["postgres.url": database.url]) { (platform) async throws in
                let pool = PostgresPool(try PostgresConfiguration(url: database.url), logger: Logger(label: "test"))
                let admin = try await platform.client("admin")
                try await admin.createOrg(Org(name: OrgName("other")), joiningDefaultClusters: true)
                for name in ["default", "other"] { try await admin.addOrgUser(OrgUser(userName: "bob", role: .manager), to: OrgName(name)) }
                try await admin.createCluster(AdminCluster(name: ClusterName("second")))
                try await admin.addOrg(OrgCluster(orgName: org), to: ClusterName("second"))
                for cluster in ["default", "second"] {
                    try await admin.createProject(.init(name: ProjectName("one")), ClusterName(cluster), org)
                    try await admin.addProjectUser(
                        ProjectUser(userName: "bob", role: .writer), ClusterName(cluster), org, ProjectName("one"))
                }
                try await admin.createProject(.init(name: ProjectName("one")), ClusterName("default"), OrgName("other"))
                try await body(platform, pool)
            }
        }
    }

    /// The projects that other services are told to clean up, in the order of their removal.
    private func removals(_ pool: PostgresPool) async throws -> [String] {
        let deadline = ContinuousClock.now + .seconds(30)
        while try await !pool.query("SELECT 1 FROM outbox").isEmpty, .now < deadline { try await Task.sleep(for: .milliseconds(20)) }
        return try await pool.query(
            """
            SELECT concat_ws('/', cluster_name, org_name, project_name) || ' ' || user_name AS line
            FROM events WHERE stream = 'platform-admin' AND type = 'project-remove' ORDER BY position
            """
        ).map { try $0.get("line") }
    }

    private func expectNone(_ platform: Platform, _ uris: [String]) async throws {
        for uri in uris { #expect(try await !platform.holds("bob", uri, .read), "\(uri)") }
    }

    @Test func aProject() async throws {
        try await with { (platform, pool) async throws in
            let path = "/clusters/default/orgs/default/projects/one"
            #expect(try await platform.call("DELETE", path, as: "bob").json(Project.self).name.text == "one")
            #expect(try await removals(pool) == ["default/default/one bob"])
            #expect(try await platform.call("GET", path, as: "admin").status == 404)
            #expect(try await platform.client("bob").user(PrincipalName("bob"))?.projects?.map(\.clusterName?.text) == ["second"])
            // The name is free again, and nothing of the former is held.
            try await platform.client("admin").createProject(.init(name: ProjectName("one")), ClusterName("default"), org)
            let members = try await platform.call("GET", "\(path)/users", as: "admin").json([ProjectUser].self)
            #expect(members.map(\.userName) == ["admin"])
        }
    }

    @Test func aMembershipInACluster() async throws {
        try await with { (platform, pool) async throws in
            #expect(try await platform.call("DELETE", "/clusters/default/orgs/default/users/bob", as: "admin").status == 204)
            #expect(try await platform.call("DELETE", "/clusters/default/orgs/default/users/bob", as: "admin").status == 404)
            let user = try await platform.client("bob").user(PrincipalName("bob"))
            #expect(user?.projects?.map(\.clusterName?.text) == ["second"])
            #expect(user?.orgs?.count == 2)
            #expect(try await !platform.authClient().exists(PrincipalName("default/default/users/bob")))
            #expect(try await removals(pool) == [])
            // Added again, he has no project that he had.
            try await platform.client("admin").addClusterUser(
                ClusterUser(userName: "bob", role: .user, orgName: org), to: ClusterName("default"))
            #expect(try await platform.client("bob").user(PrincipalName("bob"))?.projects?.count == 1)
        }
    }

    @Test func anOrganizationsPlaceInACluster() async throws {
        try await with { (platform, pool) async throws in
            #expect(try await platform.call("DELETE", "/clusters/default/orgs/default", as: "admin").status == 204)
            #expect(try await removals(pool).sorted() == ["default/default/default admin", "default/default/one admin"])
            try await expectNone(
                platform, ["job://default/default", "cluster://default/orgs/default/access", "role://default/default/manager"])
            for role in ["default/default/manager", "default/default/admin", "default/default/users/bob"] {
                #expect(try await !platform.authClient().exists(PrincipalName(role)), "\(role)")
            }
            // Elsewhere all is as it was.
            #expect(try await platform.holds("bob", "job://second/default/one", .manage))
            #expect(try await platform.holds("bob", "org://default/users", .write))
            #expect(try await platform.holds("bob", "job://default/other/one", .manage))
            #expect(try await platform.call("GET", "/clusters/default/orgs/default", as: "admin").status == 404)
            #expect(try await platform.call("GET", "/orgs/default", as: "bob").status == 200)
            // Back, with nothing of before.
            try await platform.client("admin").addOrg(OrgCluster(orgName: org), to: ClusterName("default"))
            #expect(try await platform.call("GET", "/clusters/default/orgs/default/projects", as: "admin").body == "[]")
            #expect(try await platform.holds("bob", "job://default/default/anything", .manage))
        }
    }

    @Test func anOrganization() async throws {
        try await with { (platform, pool) async throws in
            let deleted = try await platform.call("DELETE", "/orgs/default", as: "admin").json(Org.self)
            #expect(deleted.name == org)
            #expect(
                try await removals(pool).sorted() == [
                    "default/default/default admin", "default/default/one admin", "second/default/one admin",
                ])
            try await expectNone(
                platform,
                ["job://default/default", "job://second/default", "org://default", "role://default/manager", "cluster://second/access"])
            #expect(try await platform.holds("bob", "cluster://default/access", .read))
            let user = try #require(try await platform.client("bob").user(PrincipalName("bob")))
            #expect(user.orgs?.map(\.orgName?.text) == ["other"] && user.clusters?.map(\.orgName?.text) == ["other"] && user.projects == [])
            // The cluster of the same name keeps the base of its roles.
            #expect(try await platform.authClient().exists(PrincipalName("default")))
            #expect(try await !platform.authClient().exists(PrincipalName("default/manager")))
            #expect(try await pool.query("SELECT 1 FROM grant_outbox").isEmpty)
        }
    }

    @Test func aCluster() async throws {
        try await with { (platform, pool) async throws in
            #expect(try await platform.call("DELETE", "/clusters/default", as: "bob").status == 403)
            let deleted = try await platform.call("DELETE", "/clusters/default", as: "admin").json(AdminCluster.self)
            #expect(deleted.name.text == "default")
            #expect(try await removals(pool).count == 3)
            try await expectNone(
                platform,
                ["cluster://default/access", "job://default/default", "job://default/other", "cluster://default/orgs/other/access"])
            #expect(try await platform.client("bob").clusters().map(\.name.text) == ["second"])
            #expect(try await platform.call("GET", "/orgs", as: "admin").json([Org].self).map(\.name.text) == ["default", "other"])
            #expect(try await platform.holds("bob", "org://other/users", .write))
            #expect(try await platform.holds("bob", "job://second/default/one", .manage))
        }
    }

    /// What is kept for a time only is cleared away, and nothing else.
    @Test func whatHasEndedIsClearedAway() async throws {
        try await TestDatabase.with(migrations: adminMigrations) { database in
            let pool = PostgresPool(try PostgresConfiguration(url: database.url), logger: Logger(label: "test"))
            for days in [29, 36, 400] {
                try await pool.execute(
                    """
                    INSERT INTO idempotency_keys (caller, route, key, body_hash, created_at)
                    VALUES ('admin', 'PATCH /x', \("\(days)"), 'h', now() - make_interval(days => \(days)))
                    """)
                try await pool.execute(
                    """
                    INSERT INTO audit_log (at, event, caller, target) VALUES (now() - make_interval(days => \(days)), 'create', 'admin', \("\(days)"))
                    """)
            }
            #expect(try await IdempotencyKey.sweep(olderThan: 35, on: pool))
            #expect(try await AuditLog.sweep(olderThan: 365, on: pool))
            #expect(try await pool.query("SELECT key FROM idempotency_keys").map { try $0.get("key", as: String.self) } == ["29"])
            let left = try await pool.query("SELECT target FROM audit_log ORDER BY at").map { try $0.get("target", as: String.self) }
            #expect(left == ["36", "29"])
        }
    }
}
