import Foundation
import PlatformClients
import PlatformModel
import ServiceKit
import ServiceTestSupport
import TestSupport
import Testing

@testable import StorageService

/// What a project kept goes with it (storage.md 14).
@Suite(.timeLimit(.minutes(10)))
struct RemovalTests {
    /// An admin-api on the platform's auth-api, with projects `alice` and `bob` of `acme`, and one without an organization.
    private func withAdmin(
        _ platform: Platform, port: Int, _ body: (AdminPlace) async throws -> Void
    ) async throws {
        try await AdminPlace.with(auth: platform.auth, signer: platform.signer, port: port, projects: ["alice", "bob"]) {
            (admin) async throws in
            #expect(try await admin.makeLonelyProject("lonely") == 200)
            try await body(admin)
        }
    }

    private func wait(_ gone: () -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while !gone() {
            guard ContinuousClock.now < deadline else { throw SettingError("It is still there") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// The service starts and serves although the streams are away, and clears away when they are there.
    @Test func theFilesOfARemovedProjectGo() async throws {
        let port = try freePort()
        try await Platform.run(["events.url": "http://127.0.0.1:\(port)/apis/events", "events.reconnect": "0.2"]) {
            (platform) async throws in
            for folder in ["/acme/alice/deep/er", "/acme/alice-too", "/lonely/x", "/outside"] { try platform.makeFolder(folder) }
            for number in 0..<1200 { try platform.write("/acme/alice/deep/\(number)", "x") }
            try platform.write("/outside/kept", "x")
            try platform.link("/acme/alice/link", to: platform.root + "/outside")
            #expect(try await platform.put("/acme/bob/kept", "b", as: "bob").status == 201)
            try await withAdmin(platform, port: port) { (admin) async throws in
                #expect(try await admin.remove("default/orgs/acme/projects/alice") == 200)
                try await wait { !platform.exists("/acme/alice") }
                #expect(try await platform.ask("HEAD", "/acme/alice", as: "admin").status == 404)
                #expect(platform.exists("/acme/alice-too") && platform.exists("/acme/bob/kept") && platform.exists("/outside/kept"))
                #expect(try await admin.remove("default/projects/lonely") == 200)
                try await wait { !platform.exists("/lonely") }
                // A folder that never was is no obstacle to the next.
                try FileManager.default.removeItem(atPath: platform.onDisk("/acme/bob"))
                #expect(try await admin.remove("default/orgs/acme/projects/bob") == 200)
            }
        }
    }

    /// In every storage; one that is away is cleared when it is back.
    @Test func everyStorageIsCleared() async throws {
        let port = try freePort()
        let settings = [
            "events.url": "http://127.0.0.1:\(port)/apis/events", "events.reconnect": "0.2", "storage.mounts": "archive,scratch",
        ]
        try await Platform.run(settings) { (platform) async throws in
            for folder in ["/default/acme/alice", "/archive/acme/alice", "/archive/acme/bob", "/acme/alice"] {
                try platform.makeFolder(folder)
            }
            try await withAdmin(platform, port: port) { (admin) async throws in
                #expect(try await admin.remove("default/orgs/acme/projects/alice") == 200)
                try await wait { !platform.exists("/default/acme/alice") && !platform.exists("/archive/acme/alice") }
                #expect(platform.exists("/archive/acme/bob") && platform.exists("/acme/alice"))
                try platform.makeFolder("/back/acme/alice")
                try FileManager.default.moveItem(atPath: platform.onDisk("/back"), toPath: platform.onDisk("/scratch"))
                try await wait { !platform.exists("/scratch/acme/alice") }
            }
        }
    }

    /// Another cluster's projects are not ours, even if we are told of them.
    @Test func otherClustersAreLeftAlone() async throws {
        let port = try freePort()
        let settings = ["events.url": "http://127.0.0.1:\(port)/apis/events", "events.reconnect": "0.2", "token.kind": "control_plane"]
        try await Platform.run(settings) { (platform) async throws in
            try await withAdmin(platform, port: port) { (admin) async throws in
                let second = try ClusterName("second")
                try await admin.client.createCluster(AdminCluster(name: second))
                try await admin.client.addOrg(OrgCluster(orgName: admin.org), to: second)
                try await admin.client.createProject(.init(name: ProjectName("alice")), second, admin.org)
                #expect(try await admin.remove("second/orgs/acme/projects/alice") == 200)
                #expect(try await admin.remove("default/orgs/acme/projects/bob") == 200)
                // Events come in order.
                try await wait { !platform.exists("/acme/bob") }
                #expect(platform.exists("/acme/alice"))
            }
        }
    }
}
