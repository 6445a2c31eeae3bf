import Foundation
import PlatformModel
import ServiceTestSupport
import TestSupport
import Testing

@testable import SecretsService

/// A project's secrets go with it (secrets.md 6).
@Suite(.timeLimit(.minutes(3))) struct RemovalTests {
    /// The service starts and serves although the event streams are away, and clears away when they are there.
    @Test func theSecretsOfARemovedProjectGo() async throws {
        let port = try freePort()
        let settings = ["events.url": "http://127.0.0.1:\(port)/apis/events", "events.reconnect": "0.2"]
        try await Stage.with(settings: settings) { (stage) async throws in
            let alice = try await stage.user("alice", "write secret://default/acme/vision", "write secret://default/acme/sound")
            for key in ["one", "two"] { #expect(try await stage.add(key, "v", token: alice).status == 201) }
            #expect(try await stage.add("kept", "v", project: "sound", token: alice).status == 201)
            try await AdminPlace.with(auth: stage.auth, signer: stage.signer, port: port, projects: ["vision", "nothing"]) {
                (admin) async throws in
                // A project without secrets is no obstacle to the next.
                for name in ["nothing", "vision"] { #expect(try await admin.removeProject(name) == 200) }
                let deadline = ContinuousClock.now + .seconds(60)
                while try await stage.stored() != nil, .now < deadline { try await Task.sleep(for: .milliseconds(20)) }
                #expect(try await stage.stored() == nil)
                #expect(
                    try await stage.stored("project--acme--sound--secrets", in: JobPlace(org: "acme", project: "sound").namespace)?.count
                        == 1)
                // Made again, it has none; that it can be made says that the removal was acknowledged.
                try await admin.makeProject("vision")
                #expect(try await stage.keys(token: alice) == [])
            }
        }
    }
}
