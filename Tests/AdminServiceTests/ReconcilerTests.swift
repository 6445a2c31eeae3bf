import Logging
import PlatformClients
import PlatformModel
import Postgres
import ServiceKit
import TestSupport
import Testing

@testable import AdminService

/// Grants that differ from the memberships are found and repaired; those that do not are left alone.
@Suite struct ReconcilerTests {
    private let cluster = ClusterName(checked: "default")
    private let org = OrgName(checked: "default")

    /// A platform whose database the test can look into, and a reconciler that runs when the test says.
    private func with(_ body: (Platform, GrantReconciler, PostgresPool) async throws -> Void) async throws {
        try await TestDatabase.with(migrations: adminMigrations) { database in
            let pool = PostgresPool(try PostgresConfiguration(url: database.url), logger: Logger(label: "test"))
            // The service's own turn is an hour away.
            try await pool.execute("INSERT INTO chores (name, begun_at) VALUES ('reconcile', now())")
            try await Platform.withDefaults(settings: ["postgres.url": database.url]) { (platform) async throws in
                let auth = try await platform.authClient()
                let outbox = GrantOutbox(pool: pool, auth: auth, logger: Logger(label: "test"))
                try await body(platform, GrantReconciler(pool: pool, auth: auth, outbox: outbox, logger: Logger(label: "test")), pool)
            }
        }
    }

    /// Everything that memberships can be made of.
    private func fill(_ platform: Platform) async throws {
        let admin = try await platform.client("admin")
        try await admin.createOrg(Org(name: OrgName("other")), joiningDefaultClusters: true)
        try await admin.createCluster(AdminCluster(name: ClusterName("second")))
        try await admin.addOrg(OrgCluster(orgName: org), to: ClusterName("second"))
        try await admin.addOrgUser(OrgUser(userName: "alice", role: .manager), to: org)
        try await admin.addOrgUser(OrgUser(userName: "bob", role: .user), to: org)
        try await admin.addOrgUser(OrgUser(userName: "bob", role: .admin), to: OrgName("other"))
        try await admin.addClusterUser(ClusterUser(userName: "alice", role: .manager), to: cluster)
        let member: JSON = .object(["role": .string("admin"), "quota": .object([:])])
        #expect(try await platform.call("PUT", "/clusters/second/orgs/default/users/bob", as: "admin", member).status == 200)
        for (name, role) in [("p-reader", ProjectRole.reader), ("p-writer", .writer), ("p-manager", .manager), ("p-admin", .admin)] {
            try await admin.createProject(.init(name: ProjectName(name)), cluster, org)
            try await admin.addProjectUser(ProjectUser(userName: "bob", role: role), cluster, org, ProjectName(name))
        }
    }

    @Test func nothingDiffersOnAnUntouchedPlatform() async throws {
        try await with { (platform, reconciler, pool) async throws in
            #expect(try await reconciler.run() == [])
            try await fill(platform)
            #expect(try await reconciler.run() == [])
            // What people share with each other is theirs, and so is what operators grant beside the roles.
            let admin = try await platform.authClient("admin")
            try await admin.grant([Permission(ResourceURI("job://default/default/p-reader/x"), .manage)], to: PrincipalName("alice"))
            let bob = try await platform.authClient("bob")
            for role in ["bob/user", "bob/team"] {
                try await bob.createUser(PrincipalName(role))
                try await bob.grant([Permission(PrincipalName(role).roleURI, .read)], to: PrincipalName("alice"))
            }
            #expect(try await reconciler.run() == [])
            #expect(try await platform.holds("alice", "role://bob/user", .read))
            #expect(try await pool.query("SELECT 1 FROM grant_outbox").isEmpty)
        }
    }

    @Test func whatWasLostOrAddedIsRepaired() async throws {
        try await with { (platform, reconciler, pool) async throws in
            try await fill(platform)
            let auth = try await platform.authClient("admin")
            // Lost: a role of a user, a permission of a role, a whole role.
            try await auth.revoke([PrincipalName("default/user").roleURI], from: PrincipalName("bob"))
            try await auth.replacePermissions(
                [Permission(ResourceURI("cluster://default/access"), .read)], of: PrincipalName("default/default/manager"))
            try await auth.deleteUser(PrincipalName("default/default/users/alice"))
            // Added: a role to who is no member, a permission to a role, a stronger action, a role of who is no member.
            try await auth.grant([Permission(PrincipalName("other/admin").roleURI, .read)], to: PrincipalName("alice"))
            try await auth.grant([Permission(ResourceURI("job://second/other"), .manage)], to: PrincipalName("default/user"))
            try await auth.grant(
                [Permission(ResourceURI("job://default/default/p-reader"), .manage)], to: PrincipalName("default/default/users/bob"))
            try await auth.createUser(PrincipalName("default/other/users/alice"))
            #expect(try await platform.holds("alice", "org://other", .write))
            #expect(try await platform.holds("alice", "job://second/other/x", .manage))
            let found = try await reconciler.run()
            let names = try found.map { try $0.name.text }
            #expect(
                Set(names) == [
                    "bob", "alice", "default/default/manager", "default/default/users/alice", "default/user", "default/default/users/bob",
                    "default/other/users/alice",
                ])
            while try await !reconciler.outbox.sweep() {}
            #expect(try await platform.holds("bob", "org://default", .read))
            #expect(try await platform.holds("alice", "job://default/default/anything", .manage))
            #expect(try await platform.holds("alice", "cluster://default/orgs/default/projects/new", .write))
            #expect(try await !platform.holds("alice", "org://other", .read))
            #expect(try await !platform.holds("alice", "job://second/other/x", .read))
            #expect(try await platform.holds("bob", "job://default/default/p-reader", .read))
            #expect(try await !platform.holds("bob", "job://default/default/p-reader", .write))
            #expect(try await !platform.authClient().exists(PrincipalName("default/other/users/alice")))
            #expect(try await reconciler.run() == [])
        }
    }

    /// The service itself does it, again and again.
    @Test func itRunsByItself() async throws {
        try await Platform.withDefaults(settings: ["admin.reconcile-interval": "1"]) { (platform) async throws in
            try await platform.client("admin").addOrgUser(OrgUser(userName: "bob", role: .user), to: org)
            try await platform.authClient("admin").revoke([PrincipalName("default/user").roleURI], from: PrincipalName("bob"))
            let deadline = ContinuousClock.now + .seconds(60)
            while try await !platform.holds("bob", "org://default", .read), ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(try await platform.holds("bob", "org://default", .read))
        }
    }
}
