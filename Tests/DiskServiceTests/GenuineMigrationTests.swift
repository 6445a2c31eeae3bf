import Foundation
import Kubernetes
import PlatformModel
import TestSupport
import Testing

@testable import DiskService

/// Moves of old disks where Kubernetes' own controllers bind and reclaim volumes.
@Suite(
    .enabled(if: ProcessInfo.processInfo.environment["ORRERY_TEST_KUBECONFIG"] != nil), .serialized, .timeLimit(.minutes(10))
) struct GenuineMigrationTests {
    /// A cluster, and an old namespace and a project of its own.
    private struct Place {
        let client: KubernetesClient
        let store: DiskStore
        let mark: String
        let place: DiskPlace
        var source: String { "old-\(mark)" }
        var mover: DiskMover { DiskMover(store: store, source: source, logger: TestLog().logger("test")) }
    }

    private func with(_ body: (Place) async throws -> Void) async throws {
        let path = try #require(ProcessInfo.processInfo.environment["ORRERY_TEST_KUBECONFIG"])
        let logger = TestLog().logger("test")
        let client = try KubernetesClient(.kubeconfig(path: path), logger: logger)
        let mark = String(UUID().uuidString.lowercased().prefix(8))
        let place = DiskPlace(org: try OrgName("acme"), project: try ProjectName("p\(mark)"))
        let clusters = VirtualClusters(limit: 1, callTimeout: .seconds(10), logger: logger)
        let store = DiskStore(homes: ProjectHomes(host: client, virtual: clusters), storageClass: nil, logger: logger)
        let outcome: Result<Void, any Error>
        let here = Place(client: client, store: store, mark: mark, place: place)
        do {
            try await client.create(.namespaces, Namespace(metadata: ObjectMeta(name: here.source)))
            try await store.names.define()
            outcome = .success(try await body(here))
        } catch { outcome = .failure(error) }
        for namespace in [here.source, place.namespace] { try? await client.delete(.namespaces, namespace) }
        for volume in try await client.list(.persistentVolumes, labels: ["test": mark]).items {
            try? await client.delete(.persistentVolumes, volume.metadata.name ?? "")
        }
        await clusters.closeAll()
        try await client.shutdown()
        try outcome.get()
    }

    private func until(_ done: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(90)
        while try await !done() {
            guard .now < deadline else { throw KubernetesError.configuration("it does not come") }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// A bound old disk, named, on a volume that would be reclaimed.
    private func make(_ id: String, in here: Place, policy: String = "Delete") async throws -> KubernetesObject {
        let name = "\(id)-\(here.mark)"
        let volume = KubernetesObject(
            metadata: ObjectMeta(name: name, labels: ["test": here.mark]),
            fields: [
                "spec": [
                    "capacity": ["storage": "1Mi"], "accessModes": ["ReadWriteOnce"], "storageClassName": .string(here.mark),
                    "persistentVolumeReclaimPolicy": .string(policy), "hostPath": ["path": .string("/tmp/orrery-test-\(name)")],
                ]
            ])
        try await here.client.create(.persistentVolumes, volume)
        var spec = ClaimSpec(accessModes: ["ReadWriteOnce"], storageClassName: here.mark, storage: "1Mi")
        spec.volumeName = name
        var claim = PersistentVolumeClaim(metadata: ObjectMeta(name: id), spec: spec)
        claim.metadata.labels = [
            DiskKeys.mark.old: "true", DiskKeys.user.old: "alice", DiskKeys.org.old: here.place.org.text,
            DiskKeys.project.old: here.place.project.text,
        ]
        claim.metadata.annotations = [DiskKeys.created.old: "1700000000"]
        try await here.client.create(.persistentVolumeClaims, claim, in: here.source)
        let diskName = try DiskName("n-" + id)
        try await here.client.create(.diskNamings, DiskNaming(diskName, of: #require(DiskReference(id)), in: here.place), in: here.source)
        try await until { try await here.client.get(.persistentVolumeClaims, id, in: here.source).status?.phase == "Bound" }
        return try await here.client.get(.persistentVolumes, name)
    }

    private func expectMoved(_ id: String, _ before: KubernetesObject, in here: Place, policy: String = "Delete") async throws {
        #expect(try await here.client.find(.persistentVolumeClaims, id, in: here.source) == nil)
        let claim = try await here.client.get(.persistentVolumeClaims, id, in: here.place.namespace)
        let volume = try await here.client.get(.persistentVolumes, before.metadata.name ?? "")
        #expect(claim.status?.phase == "Bound" && volume["status"]?["phase"]?.string == "Bound")
        #expect(volume.metadata.uid == before.metadata.uid && DiskMove.claim(of: volume)?["uid"]?.string == claim.metadata.uid)
        #expect(DiskMove.policy(of: volume) == policy && !volume.metadata.annotations.keys.contains { $0.contains("disk-move") })
        #expect(!DiskMove.isMoving(claim))
        let found = try await here.store.find(#require(DiskReference("n-" + id)), in: here.place)
        #expect(found?.id.text == id)
        #expect(try await !here.client.list(.diskNamings, in: here.source).items.contains { $0.spec.diskID == id })
    }

    /// Stopped after every step, and taken up by another.
    @Test func everyMoveEnds() async throws {
        try await with { (here) async throws in
            var disks: [(String, KubernetesObject)] = []
            for steps in 0..<9 { disks.append(("disk-\(steps)", try await make("disk-\(steps)", in: here))) }
            let kept = try await make("disk-kept", in: here, policy: "Retain")
            for disk in try await here.mover.disks() {
                let steps = Int(disk.id.text.dropFirst("disk-".count)) ?? 0
                if steps > 0 { _ = try await here.mover.advance(disk, steps: steps) }
            }
            for disk in try await here.mover.disks() {
                try await until {
                    let outcome = try await here.mover.advance(disk)
                    if case .left(let reason) = outcome { Issue.record("\(disk.id): \(reason)") }
                    return outcome == .moved
                }
            }
            for (id, volume) in disks { try await expectMoved(id, volume, in: here) }
            try await expectMoved("disk-kept", kept, in: here, policy: "Retain")
        }
    }

    @Test func aPodKeepsItsDisk() async throws {
        try await with { (here) async throws in
            let volume = try await make("disk-a", in: here)
            let disk = try #require(try await here.mover.disks().first)
            var container = Container(name: "main", image: "registry.local/busybox")
            container.command = ["sleep", "600"]
            var spec = PodSpec(containers: [container])
            spec.automountServiceAccountToken = false
            var mount = Volume(name: "disk")
            mount.persistentVolumeClaim = ClaimVolume(claimName: "disk-a")
            spec.volumes = [mount]
            try await here.client.create(.pods, Pod(metadata: ObjectMeta(name: "p"), spec: spec), in: here.source)
            #expect(try await here.mover.advance(disk) == .left("a pod uses it"))
            #expect(DiskMove.policy(of: try await here.client.get(.persistentVolumes, volume.metadata.name ?? "")) == "Delete")
            try await here.client.delete(.pods, "p", in: here.source, .init(gracePeriodSeconds: 0))
            try await until { try await here.mover.advance(disk) == .moved }
            try await expectMoved("disk-a", volume, in: here)
        }
    }
}
