import Foundation
import Kubernetes
import PlatformModel
import ServiceTestSupport
import TestSupport
import Testing

@testable import DiskService

/// A project's disks go with it (disk.md 11).
@Suite(.timeLimit(.minutes(3))) struct DiskRemovalTests {
    /// The service starts and serves although the event streams are away; what fails is tried again, and no namespace is made.
    @Test func theDisksOfARemovedProjectGo() async throws {
        let port = try freePort()
        let settings = ["events.url": "http://127.0.0.1:\(port)/apis/events", "events.reconnect": "0.2"]
        try await DiskStage.with(settings: settings) { (stage) async throws in
            for name in ["one", "two"] { _ = try await stage.made(500, ["name": .string(name)]) }
            let kept = try await stage.made(500, project: "sound")
            try await AdminPlace.with(auth: stage.auth, signer: stage.signer, port: port, projects: ["vision", "nothing"]) {
                (admin) async throws in
                let namespaces = try await stage.client.list(.namespaces).items.count
                let claims = "/api/v1/namespaces/\(DiskStage.namespace)/persistentvolumeclaims"
                try await stage.fault("patch", claims, status: 500, count: 1000)
                for name in ["nothing", "vision"] { #expect(try await admin.removeProject(name) == 200) }
                let deadline = ContinuousClock.now + .seconds(90)
                func hasFailed() -> Bool { stage.disks.log.lines.contains { $0.contains("An event could not be handled") } }
                while !hasFailed(), .now < deadline { try await Task.sleep(for: .milliseconds(20)) }
                #expect(hasFailed())
                #expect(try await stage.ids().count == 2)
                try await stage.fault("patch", "/nowhere", status: 500, count: 1)
                while try await !stage.client.list(.persistentVolumeClaims, in: DiskStage.namespace).items.isEmpty, .now < deadline {
                    try await Task.sleep(for: .milliseconds(20))
                }
                #expect(try await stage.ids() == [])
                #expect(try await stage.names().isEmpty)
                #expect(try await stage.ids("org_name=acme&project_name=sound") == [kept])
                #expect(try await stage.client.list(.namespaces).items.count == namespaces)
                // That it can be made again says that the removal was acknowledged.
                try await admin.makeProject("vision")
                #expect(try await stage.ids() == [])
            }
        }
    }
}
