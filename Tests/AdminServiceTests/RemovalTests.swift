import Foundation
import Logging
import PlatformClients
import PlatformModel
import Postgres
import ServiceKit
import TestSupport
import Testing

@testable import AdminService

/// A removed project's name is free again when what it held has been cleared away.
@Suite struct RemovalTests {
    private func make(_ name: String, _ platform: Platform, _ projects: String = Platform.projects) async throws -> TestAnswer {
        try await platform.call("POST", projects, as: "admin", .object(["name": .string(name)]))
    }

    @Test func aNameWaitsForWhoeverClearsAway() async throws {
        try await Platform.withDefaults(settings: ["admin.name-patience": "0.5"]) { (platform) async throws in
            let token = try await EventClient.token("storage-api", platform)
            let foreign = try await EventClient.token("storage-api", cluster: "other", platform)
            // What is none of its business holds no name.
            try await EventClient.with(platform.admin, token: foreign) { _ = try await $0.join() }
            try await EventClient.with(platform.admin, token: token) { _ = try await $0.join(filters: [["projects": ["others"]]]) }
            try await platform.removeProject("one")
            #expect(try await make("one", platform).status == 200)
            try await EventClient.with(platform.admin, token: token) { client in
                try await client.join()
                try await platform.removeProject("two")
                let event = try await client.event()
                let refused = try await make("two", platform)
                #expect(
                    refused.status == 503 && refused.headers.first(name: "Retry-After") != nil
                        && refused.error?.contains("cleared away") == true)
                // Others are free.
                #expect(try await make("three", platform).status == 200)
                try await client.acknowledge([event["tag"]?.string ?? ""])
                #expect(try await make("two", platform).status == 200)
            }
        }
    }

    /// A request waits a little for what is nearly done.
    @Test func aRequestWaitsForTheName() async throws {
        try await Platform.withDefaults(settings: ["admin.name-patience": "60"]) { (platform) async throws in
            try await EventClient.with(platform.admin, token: EventClient.token("storage-api", platform)) { client in
                try await client.join()
                try await platform.removeProject("one")
                async let made = make("one", platform)
                let event = try await client.event()
                try await client.acknowledge([event["tag"]?.string ?? ""])
                #expect(try await made.status == 200)
            }
        }
    }

    /// A project without an organization and an organization of its name have the same place.
    @Test func sharedPlacesWaitToo() async throws {
        try await Platform.withDefaults(settings: ["admin.name-patience": "0.2"]) { (platform) async throws in
            let direct = "/clusters/default/projects"
            let admin = try await platform.client("admin")
            try await EventClient.with(platform.admin, token: EventClient.token("storage-api", platform)) { client in
                try await client.join()
                #expect(try await make("acme", platform, direct).status == 200)
                #expect(try await platform.call("DELETE", "\(direct)/acme", as: "admin").status == 200)
                let event = try await client.event()
                #expect(event["org"] == .null && event["project"]?.string == "acme")
                try await admin.createOrg(Org(name: OrgName("acme")))
                let body: JSON = .object(["org_name": .string("acme"), "quota": .object([:])])
                #expect(try await platform.call("POST", "/clusters/default/orgs", as: "admin", body).status == 503)
                try await client.acknowledge([event["tag"]?.string ?? ""])
                #expect(try await platform.call("POST", "/clusters/default/orgs", as: "admin", body).status == 200)
                // And the other way round.
                #expect(try await make("inner", platform, "/clusters/default/orgs/acme/projects").status == 200)
                #expect(try await platform.call("DELETE", "/orgs/acme", as: "admin").status == 200)
                let inner = try await client.event()
                #expect(try await make("acme", platform, direct).status == 503)
                try await client.acknowledge([inner["tag"]?.string ?? ""])
                #expect(try await make("acme", platform, direct).status == 200)
            }
        }
    }

    /// A group that comes when the name is in use again is not told of the former project.
    @Test func whatIsThereAgainIsNotClearedAway() async throws {
        try await Platform.withDefaults { (platform) async throws in
            for name in ["one", "two"] { try await platform.removeProject(name) }
            #expect(try await make("one", platform).status == 200)
            try await EventClient.with(platform.admin, token: EventClient.token("storage-api", platform)) { client in
                try await client.join()
                #expect(try await client.project() == "two")
                #expect(!client.hasEvents)
            }
        }
    }

    /// What is too old or too much goes, and groups that nobody asks for.
    @Test func whatIsKeptIsBounded() async throws {
        try await TestDatabase.with { database in
            try await Platform.withDefaults(settings: ["postgres.url": database.url]) { (platform) async throws in
                let pool = PostgresPool(try PostgresConfiguration(url: database.url), logger: Logger(label: "test"))
                let log = EventLog(pool: pool)
                let token = try await EventClient.token("storage-api", platform)
                try await EventClient.with(platform.admin, token: token) { client in
                    try await client.join()
                    for name in ["one", "two", "three"] { try await platform.removeProject(name) }
                    for _ in 0..<3 { _ = try await client.event() }
                }
                try await pool.execute("UPDATE events SET at = at - interval '31 days' WHERE project_name = 'one'")
                func left() async throws -> [String] {
                    try await pool.query("SELECT project_name FROM events ORDER BY position").map { try $0.get("project_name") }
                }
                #expect(try await log.sweep(EventRetention()))
                #expect(try await left() == ["two", "three"])
                #expect(try await log.sweep(EventRetention(count: 1)))
                #expect(try await left() == ["three"])
                #expect(try await pool.query("SELECT 1 FROM event_deliveries").count == 1)
                try await pool.execute("UPDATE event_groups SET seen_at = now() - interval '8 days'")
                #expect(try await log.sweep(EventRetention()))
                #expect(try await pool.query("SELECT 1 FROM event_groups").isEmpty)
                #expect(try await pool.query("SELECT 1 FROM event_deliveries").isEmpty)
            }
        }
    }
}
