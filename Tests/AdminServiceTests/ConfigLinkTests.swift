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

    private func create(_ name: String, _ platform: Platform) async throws -> Int {
        try await platform.call("POST", "/clusters", as: "bob", .object(["name": .string(name)])).status
    }

    private func eventually(_ state: ConfigStandIn.State, _ clusters: [String]) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while state.clusters != clusters, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(50)) }
        #expect(state.clusters == clusters)
    }

    @Test func aClusterIsMadeAndRemovedInBoth() async throws {
        try await with { (platform, state) async throws in
            #expect(state.clusters == ["default"])
            #expect(try await create("second", platform) == 200)
            // By the time of the answer.
            #expect(state.clusters == ["default", "second"])
            #expect(try await platform.call("DELETE", "/clusters/second", as: "bob").status == 200)
            #expect(state.clusters == ["default"])
            #expect(state.calls == ["POST default", "POST second", "DELETE second"])
        }
    }

    @Test(arguments: [HTTPResponse.Status.serviceUnavailable, .internalServerError])
    func whatItMissedItHearsLater(_ status: HTTPResponse.Status) async throws {
        try await with { (platform, state) async throws in
            state.fail(status)
            #expect(try await create("second", platform) == 200)
            #expect(try await create("third", platform) == 200)
            #expect(try await platform.call("DELETE", "/clusters/third", as: "bob").status == 200)
            #expect(try await platform.client("bob").clusters().map(\.name.text) == ["second"])
            #expect(state.clusters == ["default"])
            state.fail(nil)
            try await eventually(state, ["default", "second"])
        }
    }

    /// One cluster that config-api refuses, for whatever reason, holds up no other.
    @Test func whatItRefusesIsNotAskedAgain() async throws {
        try await with { (platform, state) async throws in
            state.fail(.badRequest)
            #expect(try await create("aaa", platform) == 200)
            state.fail(nil)
            #expect(try await create("bbb", platform) == 200)
            #expect(state.clusters == ["bbb", "default"])
            #expect(state.calls.filter { $0 == "POST aaa" }.count == 1)
        }
    }
}
