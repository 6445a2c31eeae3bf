import AdminService
import Foundation
import Identity
import PlatformClients
import PlatformModel
import ServiceKit
import TestSupport
import Testing

@testable import StorageService

/// What a project kept goes with it (storage.md 14).
@Suite(.timeLimit(.minutes(10)))
struct RemovalTests {
    /// An admin-api on the platform's auth-api, with projects `alice` and `bob` of `acme`, and one without an organization.
    private func withAdmin(
        _ platform: Platform, port: Int, _ body: (_ remove: (String) async throws -> Int) async throws -> Void
    ) async throws {
        let token = try await platform.signer.sign(TokenClaims(name: PrincipalName("admin-api"), kind: .controlPlane))
        let settings = [
            "http.port": "\(port)", "auth.url": platform.auth.url, "service.token": token, "events.redelivery": "0.5",
            "admin.name-patience": "30",
        ]
        try await withService(AdminService.self, settings: settings, authenticator: Identity.authenticator) { (service) async throws in
            let token = try await platform.token("admin")
            let admin = AdminClient(http: service.http, baseURL: service.url + "/apis/admin/v1", token: Secret(token))
            let (cluster, acme) = (try ClusterName("default"), try OrgName("acme"))
            try await admin.createCluster(AdminCluster(name: cluster))
            try await admin.createOrg(Org(name: acme), joiningDefaultClusters: true)
            for name in ["alice", "bob"] { try await admin.createProject(.init(name: ProjectName(name)), cluster, acme) }
            let made = try await service.post("/apis/admin/v1/clusters/default/projects", token: token, ["name": "lonely"])
            #expect(made.status == 200, "\(made.body)")
            try await body { try await service.delete("/apis/admin/v1/clusters/\($0)", token: token).status }
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
            try await withAdmin(platform, port: port) { remove in
                #expect(try await remove("default/orgs/acme/projects/alice") == 200)
                try await wait { !platform.exists("/acme/alice") }
                #expect(try await platform.ask("HEAD", "/acme/alice", as: "admin").status == 404)
                #expect(platform.exists("/acme/alice-too") && platform.exists("/acme/bob/kept") && platform.exists("/outside/kept"))
                #expect(try await remove("default/projects/lonely") == 200)
                try await wait { !platform.exists("/lonely") }
                // A folder that never was is no obstacle to the next.
                try FileManager.default.removeItem(atPath: platform.onDisk("/acme/bob"))
                #expect(try await remove("default/orgs/acme/projects/bob") == 200)
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
            try await withAdmin(platform, port: port) { remove in
                #expect(try await remove("default/orgs/acme/projects/alice") == 200)
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
            try await withAdmin(platform, port: port) { remove in
                let token = try await platform.token("admin")
                let admin = AdminClient(
                    http: platform.auth.http, baseURL: "http://127.0.0.1:\(port)/apis/admin/v1", token: Secret(token))
                let (second, acme) = (try ClusterName("second"), try OrgName("acme"))
                try await admin.createCluster(AdminCluster(name: second))
                try await admin.addOrg(OrgCluster(orgName: acme), to: second)
                try await admin.createProject(.init(name: ProjectName("alice")), second, acme)
                #expect(try await remove("second/orgs/acme/projects/alice") == 200)
                #expect(try await remove("default/orgs/acme/projects/bob") == 200)
                // Events come in order.
                try await wait { !platform.exists("/acme/bob") }
                #expect(platform.exists("/acme/alice"))
            }
        }
    }
}
