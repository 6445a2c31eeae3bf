import Foundation
import Logging
import PlatformClients
import PlatformModel
import Postgres
import ServiceKit
import TestSupport
import Testing

/// Credentials lie sealed in the database.
@Suite(.timeLimit(.minutes(5)))
struct SealTests {
    private let secret = #"{"credentials": {"kubernetes": {"kubeconfig": "TOP-SECRET"}}}"#

    /// A database that outlives the service, and a way to look into it.
    private func database(_ body: (_ settings: [String: String], PostgresConnection) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            let connection = try await PostgresConnection.connect(
                PostgresConfiguration(url: database.url), logger: Logger(label: "test"))
            try await body(["postgres.url": database.url], connection)
            await connection.close()
        }
    }

    private func text(_ connection: PostgresConnection) async throws -> String {
        try await connection.query("SELECT string_agg(clusters::text, ' ' ORDER BY name) AS whole FROM clusters").first?.get("whole") ?? ""
    }

    /// What a start says that fails.
    private func refusal(_ start: () async throws -> Void) async -> String {
        do {
            try await start()
            return ""
        } catch {
            return error is SettingError ? "\(error)" : ""
        }
    }

    private func kubeconfig(_ platform: Platform, _ cluster: String = "company") async throws -> String? {
        let jobs = platform.client(try await platform.token("jobs-api", kind: .controlPlane))
        return try await jobs.cluster(ClusterName(cluster))?.kubernetes?.kubeconfig
    }

    @Test func theDatabaseDoesNotTell() async throws {
        try await database { settings, connection in
            try await Platform.run(settings: settings) { platform in
                try await platform.makeCluster("company")
                #expect(try await platform.patch("company", secret).status == 200)
                let stored = try await text(connection)
                #expect(stored.contains("aes-gcm:") && !stored.contains("TOP-SECRET") && !stored.contains("token-of-"))
                #expect(try await kubeconfig(platform) == "TOP-SECRET")
                // Another password leaves the address beside it, and what was masked is unchanged.
                try await platform.patch("company", #"{"credentials": {"grafana": {"username": "u", "password": "p"}}}"#)
                try await platform.patch(
                    "company", #"{"credentials": {"grafana": {"username": null, "password": "***", "url": "https://g"}}}"#)
                let own = try await platform.service.get("/api/v1/clusters/company", token: platform.ownToken("company"))
                let grafana = try #require(own.json(ClusterDocument.self).credentials?["grafana"])
                #expect(grafana == .object(["username": .string("u"), "password": .string("p"), "url": .string("https://g")]))
            }
        }
    }

    @Test func whatAnOlderReleaseLeftIsSealedAtTheStart() async throws {
        try await database { settings, connection in
            try await Platform.run(settings: settings) { platform in try await platform.makeCluster("company") }
            try await connection.execute(
                """
                UPDATE clusters SET credentials = NULL,
                    document = document || '{"credentials": {"kubernetes": {"kubeconfig": "TOP-SECRET"}, "neuro": {"token": "OLD-TOKEN"}}}'
                """)
            try await Platform.run(settings: settings) { platform in
                let stored = try await text(connection)
                #expect(stored.contains("aes-gcm:") && !stored.contains("TOP-SECRET") && !stored.contains("OLD-TOKEN"))
                #expect(try await kubeconfig(platform) == "TOP-SECRET")
                // One that still runs writes beside what is sealed; both count, the later first.
                try await connection.execute(
                    #"UPDATE clusters SET document = document || '{"credentials": {"kubernetes": {"kubeconfig": "NEWER"}}}'"#)
                #expect(try await kubeconfig(platform) == "NEWER")
                let admin = try await platform.token("admin")
                #expect(try await !platform.service.get("/api/v1/clusters", token: admin).body.contains("NEWER"))
                try await platform.patch("company", #"{"location": "x"}"#)
                #expect(try await !text(connection).contains("NEWER"))
                #expect(try await kubeconfig(platform) == "NEWER")
            }
        }
    }

    @Test func keysAreExchangedWithoutAPause() async throws {
        try await database { settings, connection in
            func run(_ keys: UInt8..., body: (Platform) async throws -> Void) async throws {
                let keys = ["config.sealing-keys": keys.map { Platform.sealingKey($0) }.joined(separator: "\n")]
                try await Platform.run(settings: settings.merging(keys) { own, _ in own }, body)
            }
            try await run(1) { platform in
                try await platform.makeCluster("company")
                try await platform.patch("company", secret)
            }
            let first = try await text(connection)
            try await run(1, 2) { _ in }
            #expect(try await text(connection) == first)
            try await run(2, 1) { (platform) async throws in #expect(try await kubeconfig(platform) == "TOP-SECRET") }
            #expect(try await text(connection) != first)
            try await run(2) { (platform) async throws in #expect(try await kubeconfig(platform) == "TOP-SECRET") }
            let lost = ["config.sealing-keys": Platform.sealingKey(3)]
            let said = await refusal { try await Platform.run(settings: settings.merging(lost) { own, _ in own }) { _ in } }
            #expect(said.contains("ORRERY_CONFIG_SEALING_KEYS"))
        }
    }

    @Test func rowsCannotBeExchanged() async throws {
        try await database { settings, connection in
            try await Platform.run(settings: settings) { platform in
                try await platform.makeCluster("company")
                try await platform.makeCluster("other")
                try await platform.patch("company", secret)
                try await connection.execute(
                    "UPDATE clusters SET credentials = (SELECT credentials FROM clusters WHERE name = 'company') WHERE name = 'other'")
                let other = try await platform.service.get("/api/v1/clusters/other", token: platform.ownToken("other"))
                #expect(other.status == 500 && !other.body.contains("TOP-SECRET") && !other.body.contains("credentials"))
                // To those who do not see credentials nothing is amiss.
                #expect(try await platform.service.get("/api/v1/clusters/other", token: platform.token("admin")).status == 200)
                #expect(try await kubeconfig(platform) == "TOP-SECRET")
            }
        }
    }

    @Test(arguments: ["", "short", "c2hvcnQ="]) func badKeysAreRefusedAtTheStart(_ keys: String) async throws {
        let said = await refusal { try await Platform.run(settings: ["config.sealing-keys": keys]) { _ in } }
        #expect(said.contains("ORRERY_CONFIG_SEALING_KEYS"))
    }
}
