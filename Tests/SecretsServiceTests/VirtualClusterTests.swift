import Foundation
import Kubernetes
import NIOHTTP1
import PlatformModel
import ServiceKit
import ServiceTestSupport
import TestSupport
import Testing

@testable import SecretsService

/// Projects with a virtual cluster of their own (secrets.md 5.2).
@Suite(.timeLimit(.minutes(5))) struct VirtualClusterTests {
    private func secure(_ service: TestService) -> String { service.url.replacingOccurrences(of: "http://", with: "https://") }

    /// What a cluster holds of the project's, over TLS as its authority says.
    private func keys(_ service: TestService, _ folder: ClusterInProcess.Folder) async throws -> [String] {
        let authority = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/tls/ca.crt"))
        let client = try KubernetesClient(
            KubernetesConfiguration(server: secure(service), trust: .authority(authority)), logger: TestLog().logger("test"))
        let found = try? await client.find(.secrets, Stage.object, in: "default")
        try await client.shutdown()
        return (found?.data ?? [:]).keys.sorted()
    }

    @Test func secretsLieInTheVirtualCluster() async throws {
        try await ClusterInProcess.with(isVirtual: true) { (virtual, folder) async throws in
            try await Stage.with { stage in
                let alice = try await stage.writer()
                // On the host first; the virtual cluster counts from when it is there.
                #expect(try await stage.add("host", "v", token: alice).status == 201)
                let secret = try folder.virtualClusterSecret(url: secure(virtual))
                try await stage.kubernetes.create(.secrets, secret, in: Stage.namespace)
                #expect(try await stage.list(token: alice).body == "[]")
                #expect(try await stage.add("inside", "v", token: alice).status == 201)
                #expect(try await stage.add("second", "v", token: alice).status == 201)
                #expect(try await stage.keys(token: alice) == ["inside", "second"])
                #expect(try await stage.keys("org_name=acme", token: alice) == ["inside", "second"])
                #expect(try await stage.get("inside", token: alice).status == 200)
                #expect(try await stage.get("host", token: alice).status == 404)
                #expect(try await stage.remove("second", token: alice).status == 204)
                #expect(try await keys(virtual, folder) == ["inside"])
                #expect(try await stage.stored() == ["host": Data("v".utf8)])
                // The Secret that leads there is no secret of the project.
                #expect(try await stage.get("config", token: alice).status == 404)
                try await stage.kubernetes.delete(.secrets, "vc-vcluster", in: Stage.namespace)
                #expect(try await stage.keys(token: alice) == ["host"])
            }
        }
    }

    /// Only the given authority counts, and plain HTTP does not; nothing falls back to the host.
    @Test func aVirtualClusterThatCannotBeTrusted() async throws {
        try await ClusterInProcess.with(isVirtual: true) { (virtual, folder) async throws in
            try await ClusterInProcess.with(isVirtual: true) { (_, other) async throws in
                try await Stage.with { stage in
                    let alice = try await stage.writer()
                    #expect(try await stage.add("host", "v", token: alice).status == 201)
                    let foreign = try Data(contentsOf: URL(fileURLWithPath: other.path + "/tls/ca.crt"))
                    var broken = try folder.virtualClusterSecret(url: secure(virtual))
                    broken.data?["client-key"] = Data("no key".utf8)
                    for (secret, status) in [
                        (try folder.virtualClusterSecret(url: secure(virtual), authority: foreign), 503),
                        (try folder.virtualClusterSecret(url: virtual.url), 500), (broken, 500),
                    ] {
                        try await stage.kubernetes.create(.secrets, secret, in: Stage.namespace)
                        let written = try await stage.add("inside", "v", token: alice)
                        #expect(written.status == status && !written.body.contains("certificate"))
                        #expect(try await stage.list(token: alice).status == status)
                        try await stage.kubernetes.delete(.secrets, "vc-vcluster", in: Stage.namespace)
                    }
                    #expect(try await keys(virtual, folder) == [])
                    #expect(try await stage.keys(token: alice) == ["host"])
                }
            }
        }
    }

    /// The least recently used connection goes, also one in use, which is closed when it is given back.
    @Test func connectionsAreBounded() async throws {
        try await ClusterInProcess.with(isVirtual: true) { (virtual, folder) async throws in
            let clusters = VirtualClusters(limit: 2, callTimeout: .seconds(10), logger: TestLog().logger("test"))
            let secret = try folder.virtualClusterSecret(url: secure(virtual))
            try await clusters.with(secret, of: "first") { client in
                for name in ["second", "third", "fourth", "third"] {
                    try await clusters.with(secret, of: name) { _ = try await $0.raw("/version") }
                }
                #expect(await clusters.count == 2)
                _ = try await client.raw("/version")
            }
            // Another key in the Secret is another connection.
            var renewed = secret
            renewed.metadata.resourceVersion = "another"
            let (old, new) = (try await clusters.with(secret, of: "third") { $0 }, try await clusters.with(renewed, of: "third") { $0 })
            #expect(old !== new)
            await clusters.closeAll()
            #expect(await clusters.count == 0)
        }
    }
}
