import Logging
import PlatformClients
import PlatformModel
import Postgres
import ServiceKit
import TestSupport
import Testing

@testable import AdminService

@Suite struct OutboxTests {
    /// The change stands although auth-api was away, and reaches it later whoever applies it.
    @Test func aChangeOutlivesAnAbsentAuthAPI() async throws {
        try await Platform.withDefaults { (platform) async throws in
            try await TestDatabase.with(migrations: adminMigrations) { database in
                let pool = PostgresPool(try PostgresConfiguration(url: database.url), logger: Logger(label: "test"))
                let auth = try await platform.authClient()
                let away = AuthClient(http: platform.admin.http, baseURL: "http://127.0.0.1:9", token: Secret("x"))
                func directory(_ outboxAuth: AuthClient, patience: Duration) -> Directory {
                    let outbox = GrantOutbox(pool: pool, auth: outboxAuth, logger: Logger(label: "test"), patience: patience)
                    return Directory(pool: pool, auth: auth, outbox: outbox, defaultClusters: [])
                }
                let admin = Caller(name: "admin", token: try await platform.token("admin"))
                let bob = Caller(name: "bob", token: try await platform.token("bob"))
                let (broken, whole) = (directory(away, patience: .milliseconds(300)), directory(auth, patience: .seconds(10)))
                _ = try await whole.createUser(AdminUser(name: "bob", email: "bob@x.y"), as: admin)
                await #expect { try await broken.createOrg(Org(name: OrgName("late")), joiningDefaults: false, as: bob) } throws: {
                    ($0 as? PlatformError)?.status == .serviceUnavailable
                }
                #expect(try await !platform.holds("bob", "org://late", .read))
                // The repeat says that it is there, and by then its grants are.
                await #expect { try await whole.createOrg(Org(name: OrgName("late")), joiningDefaults: false, as: bob) } throws: {
                    ($0 as? PlatformError)?.status == .conflict
                }
                while try await !whole.outbox.sweep() {}
                #expect(try await platform.holds("bob", "org://late", .write))
                #expect(try await pool.query("SELECT 1 FROM grant_outbox").isEmpty)
                // A removal that auth-api missed is made good too.
                await #expect(throws: PlatformError.self) { try await broken.deleteOrg(OrgName("late"), as: bob) }
                #expect(try await platform.holds("bob", "org://late", .write))
                _ = try await whole.outbox.sweep()
                #expect(try await !platform.holds("bob", "org://late", .read))
                #expect(try await !platform.authClient().exists(PrincipalName("late")))
            }
        }
    }

    /// Many changes of the same user at once leave exactly the grants of what is stored.
    @Test func concurrentChangesEndInWhatIsStored() async throws {
        try await Platform.withDefaults { (platform) async throws in
            let admin = try await platform.client("admin")
            try await admin.addOrgUser(OrgUser(userName: "bob", role: .user), to: OrgName("default"))
            let names = (0..<8).map { "project\($0)" }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for name in names { group.addTask { try await makeProject(name, in: platform, thenDelete: isDeleted(name)) } }
                try await group.waitForAll()
            }
            for name in names {
                #expect(try await platform.holds("bob", "job://default/default/\(name)", .manage) == !isDeleted(name), "\(name)")
            }
        }
    }

    private func isDeleted(_ name: String) -> Bool { name.hasSuffix("1") || name.hasSuffix("5") }

    private func makeProject(_ name: String, in platform: Platform, thenDelete deletes: Bool) async throws {
        let projects = "/clusters/default/orgs/default/projects"
        #expect(try await platform.call("POST", projects, as: "bob", .object(["name": .string(name)])).status == 200)
        if deletes { #expect(try await platform.call("DELETE", "\(projects)/\(name)", as: "bob").status == 200) }
    }
}
