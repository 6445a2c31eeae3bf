import Foundation
import Kubernetes
import PlatformModel
import ServiceKit
import Testing

@testable import StorageService

/// What a webhook in a pod finds out about the volumes that other pods can mount.
@Suite struct InjectableVolumesTests {
    private func pod(_ volumes: [JSONValue], _ mounts: [(String, String)]) -> KubernetesObject {
        let mounts = mounts.map { JSONValue.object(["name": .string($0), "mountPath": .string($1)]) }
        return KubernetesObject(
            metadata: ObjectMeta(name: "storage"),
            fields: ["spec": ["volumes": .array(volumes), "containers": [["name": "c", "volumeMounts": .array(mounts)]]]])
    }

    private func volume(_ name: String, claim: String) -> JSONValue {
        ["name": .string(name), "persistentVolumeClaim": ["claimName": .string(claim)]]
    }

    private func claimed(_ claim: String) -> KubernetesObject? {
        switch claim {
        case "nfs": KubernetesObject(fields: ["spec": ["nfs": ["server": "nfs.local", "path": "/exports"]]])
        case "csi": KubernetesObject(fields: ["spec": ["csi": ["driver": "smb.csi.k8s.io"]]])
        case "local": KubernetesObject(fields: ["spec": ["hostPath": ["path": "/of/one/node"]]])
        default: nil
        }
    }

    /// - Parameter mounts: names of storages.
    private func find(
        _ path: [String], _ volumes: InjectableVolumes, root: String = "/var/storage", mounts: String = ""
    ) throws -> (StorageBackends.Source, [String])? {
        let folder = NSTemporaryDirectory() + "volumes-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var table = try StorageTable(
            Settings(values: ["storage.root": folder, "storage.mounts": mounts]), cluster: "default")
        table.root = root.split(separator: "/").map(String.init)
        return try volumes.find(path, in: table).map { ($0.source, Array($0.rest)) }
    }

    @Test func aClaimOnNFS() async throws {
        let volumes = try await InjectableVolumes(pod: pod([volume("s", claim: "nfs")], [("s", "/var/storage")]), claimed: claimed)
        let found = try #require(try find(["default", "org", "project"], volumes))
        #expect(found.0 == .nfs(server: "nfs.local", path: "/exports") && found.1 == ["default", "org", "project"])
        #expect(try find(["org"], volumes, root: "/other") == nil)
    }

    @Test func foldersOfTheNodeAndInlineNFS() async throws {
        let volumes = try await InjectableVolumes(
            pod: pod(
                [
                    ["name": "a", "hostPath": ["path": "/exports", "type": "Directory"]],
                    ["name": "b", "nfs": ["server": "s", "path": "/b"]],
                    ["name": "token", "secret": ["secretName": "x"]],
                ], [("a", "/var/storage/default"), ("b", "/var/storage/fast/"), ("token", "/token")]), claimed: claimed)
        let found = try #require(try find(["org", "p"], volumes, mounts: "fast"))
        #expect(found.0 == .hostPath(path: "/exports", type: "Directory") && found.1 == ["org", "p"])
        // Of several storages each is where the settings say, and the longest mount holds it.
        let fast = try #require(try find(["fast", "p"], volumes, mounts: "fast"))
        #expect(fast.0 == .nfs(server: "s", path: "/b") && fast.1 == ["p"])
        #expect(try find(["token"], volumes) == nil)
    }

    @Test func whatNoOtherPodCanMount() async throws {
        for claim in ["csi", "local", "unbound"] {
            do {
                _ = try await InjectableVolumes(pod: pod([volume("s", claim: claim)], [("s", "/var/storage")]), claimed: claimed)
                Issue.record("\(claim) was taken")
            } catch {
                #expect("\(error)" == "No eligible volumes are mounted to this pod")
            }
        }
        await #expect(throws: SettingError.self) { try await InjectableVolumes(pod: KubernetesObject(), claimed: claimed) }
    }
}
