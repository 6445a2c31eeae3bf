import Foundation
import Kubernetes
import Logging
import Testing

@testable import LocalCluster

/// Claims and their volumes.
@Suite(.timeLimit(.minutes(5)))
struct VolumeTests {
    private static func claim(_ name: String = "data", size: String = "1Gi", _ change: (inout Object) -> Void = { _ in }) -> Object {
        var claim: Object = [
            "metadata": ["name": .string(name), "namespace": "n", "uid": "claim-uid"],
            "spec": [
                "accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": .string(size)]], "volumeMode": "Filesystem",
            ],
            "status": ["phase": "Pending"],
        ]
        change(&claim)
        return claim
    }

    private static func volume(_ name: String, size: String, _ change: (inout Object) -> Void = { _ in }) -> Object {
        var volume: Object = [
            "metadata": ["name": .string(name)],
            "spec": [
                "accessModes": ["ReadWriteOnce", "ReadOnlyMany"], "capacity": ["storage": .string(size)], "volumeMode": "Filesystem",
                "hostPath": ["path": "/data"], "persistentVolumeReclaimPolicy": "Retain",
            ],
        ]
        change(&volume)
        return volume
    }

    private static let claimKey = ObjectKey(.persistentVolumeClaims, namespace: "n", name: "data")

    private func binding(_ claim: Object, _ volumes: [Object] = []) -> ClaimBinding {
        ClaimBinding(claim, volumes: volumes, classes: [StorageClasses.standard])
    }

    @Test func aClaimGetsADirectoryOrTheSmallestFittingVolume() {
        #expect(binding(Self.claim()) == .provision(storageClass: "standard", policy: "Delete"))
        let without = Self.claim { $0[path: "spec", "storageClassName"] = "" }
        let volumes = [
            Self.volume("small", size: "500Mi"), Self.volume("large", size: "10Gi"), Self.volume("right", size: "2Gi"),
            Self.volume("taken", size: "1Gi") { $0[path: "spec", "claimRef"] = ["namespace": "n", "name": "other", "uid": "x"] },
            Self.volume("ending", size: "1Gi") { $0.deletionTimestamp = Date() },
        ]
        #expect(binding(without, volumes) == .bind(volume: "right"))
        // One set aside for it, or named by it, comes before.
        let reserved = Self.volume("reserved", size: "1Ti") { $0[path: "spec", "claimRef"] = ["namespace": "n", "name": "data"] }
        #expect(binding(without, volumes + [reserved]) == .bind(volume: "reserved"))
        #expect(binding(Self.claim { $0[path: "spec", "volumeName"] = "large" }, volumes) == .bind(volume: "large"))
    }

    @Test(
        arguments: [
            ("storageClassName", "nope", "storageclass.storage.k8s.io \"nope\" not found"),
            ("storageClassName", "", "no persistent volumes available for this claim and no storage class is set"),
            ("volumeName", "nope", "volume \"nope\" not found"),
            ("volumeMode", "Block", "a directory cannot be a block device: volumeMode must be Filesystem"),
            ("dataSource", ["kind": "VolumeSnapshot"], "a directory cannot be made from a data source"),
        ] as [(String, JSONValue, String)])
    func aClaimThatWaits(field: String, value: JSONValue, message: String) {
        let binding = binding(Self.claim { $0[path: "spec", field] = value })
        guard case .wait(_, let told) = binding else {
            Issue.record("\(binding)")
            return
        }
        #expect(told == message)
    }

    private func withController(_ body: (ObjectStore, String) async throws -> Void) async throws {
        try await TestStore.withFolder { store, folder in
            try await TestStore.running(VolumeController(store: store, folder: folder, logger: TestStore.quiet)) {
                try await body(store, folder)
            }
        }
    }

    private func bound(_ store: ObjectStore, _ name: String = "data") async throws -> (claim: Object, volume: Object) {
        let claim = try await TestStore.wait(store, .persistentVolumeClaims, name) { $0.object[path: "status", "phase"] == "Bound" }
        let volume = try await store.get(ObjectKey(.persistentVolumes, name: claim?[path: "spec", "volumeName"]?.string ?? ""))
        return (try #require(claim), try #require(volume))
    }

    @Test func fromClaimToDirectoryAndBack() async throws {
        try await withController { store, folder in
            try await store.create(Self.claim(), as: Self.claimKey)
            let (claim, volume) = try await bound(store)
            #expect(claim[path: "spec", "storageClassName"] == "standard")
            #expect(claim[path: "status", "capacity"] == ["storage": "1Gi"])
            #expect(claim[path: "status", "accessModes"] == ["ReadWriteOnce"])
            let path = try #require(volume[path: "spec", "hostPath", "path"]?.string)
            #expect(path.hasPrefix(folder + "/volumes/"))
            try Data("kept".utf8).write(to: URL(fileURLWithPath: path + "/file"))
            // It grows with its claim, and does not shrink.
            try await store.update(Self.claimKey) { $0[path: "spec", "resources", "requests", "storage"] = "3Gi" }
            _ = try await TestStore.wait(store, .persistentVolumeClaims, "data") {
                $0.object[path: "status", "capacity", "storage"] == "3Gi"
            }
            #expect(try await store.get(ObjectKey(.persistentVolumes, volume))?[path: "spec", "capacity", "storage"] == "3Gi")

            // A pod that uses it keeps claim, volume and directory.
            let pod: Object = [
                "metadata": ["name": "p", "namespace": "n"],
                "spec": ["nodeName": "node", "volumes": [["name": "v", "persistentVolumeClaim": ["claimName": "data"]]]],
                "status": ["phase": "Running"],
            ]
            let podKey = ObjectKey(.pods, namespace: "n", name: "p")
            try await store.create(pod, as: podKey)
            try await store.remove(Self.claimKey)
            try await store.create(Self.claim("witness"), as: ObjectKey(.persistentVolumeClaims, namespace: "n", name: "witness"))
            _ = try await bound(store, "witness")
            #expect(try await store.get(Self.claimKey)?.deletionTimestamp != nil)
            #expect(FileManager.default.fileExists(atPath: path + "/file"))
            // Once the pod has ended, all three go.
            try await store.update(podKey) { $0[path: "status", "phase"] = "Succeeded" }
            try await gone(store, .persistentVolumes, volume.name)
            #expect(try await store.get(Self.claimKey) == nil)
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    /// Waits until an object that is there is gone.
    private func gone(_ store: ObjectStore, _ kind: LocalCluster.ResourceKind, _ name: String) async throws {
        for try await change in try await store.watch(kind, after: nil) {
            if try await store.get(ObjectKey(kind, name: name)) == nil { return }
            if change.kind == .deleted, change.object.name == name { return }
        }
    }

    @Test func aVolumeThatIsToBeRetainedIsReleased() async throws {
        try await withController { store, folder in
            let key = ObjectKey(.storageClasses, name: "kept")
            var kept = StorageClasses.standard
            kept["reclaimPolicy"] = "Retain"
            try await store.create(kept, as: key)
            try await store.create(Self.claim { $0[path: "spec", "storageClassName"] = "kept" }, as: Self.claimKey)
            let (_, volume) = try await bound(store)
            try await store.remove(Self.claimKey)
            let released = try await TestStore.wait(store, .persistentVolumes, volume.name) {
                $0.object[path: "status", "phase"] == "Released"
            }
            #expect(released != nil)
            #expect(FileManager.default.fileExists(atPath: folder + "/volumes/" + volume.name))
            // A new claim of the same name is another one.
            try await store.create(Self.claim { $0[path: "spec", "storageClassName"] = "kept" }, as: Self.claimKey)
            #expect(try await bound(store).volume.name != volume.name)
        }
    }

    @Test func aClaimWithoutItsVolumeIsLostAndAForeignDirectoryIsLeftAlone() async throws {
        try await withController { store, folder in
            let foreign = folder + "/foreign"
            try FileManager.default.createDirectory(atPath: foreign, withIntermediateDirectories: true)
            let volume = Self.volume("static", size: "5Gi") {
                $0[path: "spec", "hostPath", "path"] = .string(foreign)
                $0[path: "spec", "persistentVolumeReclaimPolicy"] = "Delete"
            }
            try await store.create(volume, as: ObjectKey(.persistentVolumes, name: "static"))
            try await store.create(Self.claim { $0[path: "spec", "storageClassName"] = "" }, as: Self.claimKey)
            #expect(try await bound(store).volume.name == "static")
            try await store.update(ObjectKey(.persistentVolumes, name: "static")) { $0.finalizers = [] }
            try await store.remove(ObjectKey(.persistentVolumes, name: "static"))
            let lost = try await TestStore.wait(store, .persistentVolumeClaims, "data") { $0.object[path: "status", "phase"] == "Lost" }
            #expect(lost != nil)
            #expect(FileManager.default.fileExists(atPath: foreign))
        }
    }

    @Test func whyAClaimWaitsIsAnEvent() async throws {
        try await withController { store, _ in
            try await store.create(Self.claim { $0[path: "spec", "storageClassName"] = "nope" }, as: Self.claimKey)
            for try await change in try await store.watch(.events, namespace: "n", after: nil) {
                #expect(change.object["reason"] == "ProvisioningFailed")
                #expect(change.object["message"] == "storageclass.storage.k8s.io \"nope\" not found")
                return
            }
        }
    }
}
