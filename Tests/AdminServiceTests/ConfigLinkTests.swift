import HTTPTypes
import PlatformClients
import PlatformModel
import TestSupport
import Testing

/// A cluster has a second record, at config-api, which follows the first.
@Suite struct ConfigLinkTests {
    private func with(_ body: (Platform, ConfigStandIn.State) async throws -> Void) async throws {
        let state = ConfigStandIn.State()
        try await ConfigStandIn.$state.withValue(state) {
            try await withService(ConfigStandIn.self) { config in
                try await Platform.withDefaults(settings: ["config.url": config.url]) { (platform) async throws in
                    try await body(platform, state)
                }
            }
        }
    }

    private func create(_ name: String, _ platform: Platform, as user: String = "bob") async throws -> TestAnswer {
        try await platform.call("POST", "/clusters", as: user, .object(["name": .string(name)]))
    }

    private func remove(_ name: String, _ platform: Platform, as user: String = "bob") async throws -> Int {
        try await platform.call("DELETE", "/clusters/\(name)", as: user).status
    }

    private func eventually(_ state: ConfigStandIn.State, _ clusters: [String]) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while state.clusters != clusters, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(50)) }
        #expect(state.clusters == clusters)
    }

    @Test func aClusterIsMadeAndRemovedInBoth() async throws {
        try await with { (platform, state) async throws in
            #expect(state.clusters == ["default"])
            #expect(try await create("second", platform).status == 200)
            // By the time of the answer.
            #expect(state.clusters == ["default", "second"])
            #expect(try await remove("second", platform) == 200)
            #expect(state.clusters == ["default"])
            #expect(state.calls.filter { !$0.hasPrefix("GET") } == ["POST default", "POST second", "DELETE second"])
        }
    }

    @Test(arguments: [HTTPResponse.Status.serviceUnavailable, .internalServerError])
    func whatItMissedItHearsLater(_ status: HTTPResponse.Status) async throws {
        try await with { (platform, state) async throws in
            #expect(try await create("third", platform).status == 200)
            state.fail(status)
            #expect(try await create("second", platform, as: "admin").status == 200)
            #expect(try await remove("third", platform) == 200)
            #expect(try await platform.client("admin").clusters().map(\.name.text) == ["default", "second"])
            #expect(state.clusters == ["default", "third"])
            state.fail(nil)
            try await eventually(state, ["default", "second"])
        }
    }

    /// Whoever makes a cluster manages its document and what that leads to: it must not be one that others made.
    @Test func aNameThatItKnowsIsTaken() async throws {
        try await with { (platform, state) async throws in
            state.add("elsewhere")
            let taken = try await create("elsewhere", platform)
            #expect(taken.status == 409 && taken.error == "Cluster 'elsewhere' already exists")
            #expect(try await platform.client("bob").clusters() == [])
            #expect(try await create("elsewhere", platform, as: "admin").status == 200)
            // Nobody knows.
            state.fail(.serviceUnavailable)
            let unknown = try await create("unknown", platform)
            #expect(unknown.status == 503 && unknown.error?.contains("'unknown'") == true)
            state.fail(nil)
            #expect(try await create("unknown", platform).status == 200)
        }
    }

    /// A cluster of the same name begins blank: the former is gone from everywhere first.
    @Test func aNameIsFreeWhenTheFormerIsGone() async throws {
        try await with { (platform, state) async throws in
            #expect(try await create("again", platform).status == 200)
            state.fail(.serviceUnavailable)
            #expect(try await remove("again", platform) == 200)
            for user in ["alice", "admin"] { #expect(try await create("again", platform, as: user).status == 503) }
            state.fail(nil)
            #expect(try await create("again", platform, as: "alice").status == 200)
            #expect(state.calls.filter { $0 == "DELETE again" }.isEmpty == false)
            #expect(state.calls.last { !$0.hasPrefix("GET") } == "POST again")
            #expect(state.clusters == ["again", "default"])
        }
    }

    /// One cluster that config-api refuses, for whatever reason, holds up no other.
    @Test func whatItRefusesIsNotAskedAgain() async throws {
        try await with { (platform, state) async throws in
            state.fail(.badRequest)
            #expect(try await create("aaa", platform, as: "admin").status == 200)
            state.fail(nil)
            #expect(try await create("bbb", platform).status == 200)
            #expect(state.clusters == ["bbb", "default"])
            #expect(state.calls.filter { $0 == "POST aaa" }.count == 1)
        }
    }
}
