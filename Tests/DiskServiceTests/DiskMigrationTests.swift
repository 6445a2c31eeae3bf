import Foundation
import Kubernetes
import PlatformModel
import ServiceTestSupport
import TestSupport
import Testing

@testable import DiskService

/// Disks of the namespace that all once shared (disk.md 13).
@Suite(.timeLimit(.minutes(10))) struct DiskMigrationTests {
    private static let source = "platform-jobs"
    private static let settings = ["disk.migration.namespace": source, "disk.migration.interval": "0.5"]

    /// An old disk, its data and what it must be like in the end.
    private struct Old {
        let id: String
        var volume: String?
        var volumeUID: String?
        var file: String?
    }

    /// A cluster with the old namespace, and no migration running.
    private func with(_ settings: [String: String] = [:], _ body: (DiskStage) async throws -> Void) async throws {
        try await DiskStage.with(settings: settings) { (stage) async throws in
            try await stage.client.create(.namespaces, Namespace(metadata: ObjectMeta(name: Self.source)))
            try await stage.withStore { try await $0.names.define() }
            try await body(stage)
        }
    }

    /// Marked with the old keys alone, as old disks are. One that is not bound wants a storage class that nobody has.
    private func make(
        _ stage: DiskStage, _ id: String, name: String? = nil, isBound: Bool = true, annotated: Bool = true,
        labels: [String: String] = [DiskKeys.org.old: "acme", DiskKeys.project.old: "vision"], annotations: [String: String] = [:]
    ) async throws -> Old {
        var spec = ClaimSpec(accessModes: ["ReadWriteOnce"], storageClassName: isBound ? nil : "nobodys", storage: "1000")
        spec.volumeMode = "Filesystem"
        var claim = PersistentVolumeClaim(metadata: ObjectMeta(name: id), spec: spec)
        claim.metadata.labels = [DiskKeys.mark.old: "true", DiskKeys.user.old: "alice"].merging(labels) { $1 }
        claim.metadata.annotations = [DiskKeys.created.old: "1700000000"].merging(annotations) { $1 }
        if let name, annotated { claim.metadata.annotations[DiskKeys.name.old] = name }
        try await stage.client.create(.persistentVolumeClaims, claim, in: Self.source)
        if let name {
            var naming = DiskNaming(try DiskName(name), of: try #require(DiskReference(id)), in: try Self.place())
            naming.metadata.name = "\(name)--acme--vision"
            try await stage.client.create(.diskNamings, naming, in: Self.source)
        }
        guard isBound else { return Old(id: id) }
        try await stage.wait(id, in: Self.source) { $0?.status?.phase == "Bound" }
        let volume = try #require(try await stage.claim(id, in: Self.source)?.spec?.volumeName)
        let standing = try await stage.client.get(.persistentVolumes, volume)
        let file = try #require(standing["spec"]?["hostPath"]?["path"]?.string) + "/data"
        try "of \(id)".write(toFile: file, atomically: true, encoding: .utf8)
        return Old(id: id, volume: volume, volumeUID: standing.metadata.uid, file: file)
    }

    private static func place() throws -> DiskPlace { DiskPlace(org: try OrgName("acme"), project: try ProjectName("vision")) }

    private func mover(_ store: DiskStore) -> DiskMover { DiskMover(store: store, source: Self.source, logger: TestLog().logger("test")) }

    private func disk(_ old: Old, _ mover: DiskMover) async throws -> OldDisk {
        try #require(try await mover.disks().first { $0.id.text == old.id })
    }

    /// Goes on with a move until it has ended.
    private func end(_ disk: OldDisk, _ mover: DiskMover) async throws {
        let deadline = ContinuousClock.now + .seconds(90)
        while true {
            let outcome = try await mover.advance(disk)
            if outcome == .moved { return }
            guard outcome == .waiting || outcome == .interrupted, .now < deadline else {
                Issue.record("\(disk.id) does not move: \(outcome)")
                return
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// The disk is in its project with all that it had, and nothing is left of the move.
    private func expectMoved(
        _ stage: DiskStage, _ old: Old, to namespace: String = DiskStage.namespace, policy: String = "Delete"
    ) async throws {
        #expect(try await stage.claim(old.id, in: Self.source) == nil)
        let claim = try #require(try await stage.claim(old.id, in: namespace))
        #expect(claim.metadata.labels[DiskMove.label] == nil && claim.metadata.annotations[DiskMove.originAnnotation] == nil)
        #expect(claim.metadata.labels[DiskKeys.mark.new] == "true" && claim.metadata.labels[DiskKeys.mark.old] == "true")
        #expect(claim.metadata.annotations[DiskKeys.created.new] == "1700000000")
        #expect(claim.spec?.resources?.requests?["storage"]?.text == "1000")
        guard let name = old.volume else { return }
        let volume = try await stage.client.get(.persistentVolumes, name)
        #expect(volume.metadata.uid == old.volumeUID && claim.spec?.volumeName == name)
        #expect(DiskMove.claim(of: volume)?["uid"]?.string == claim.metadata.uid)
        #expect(volume["status"]?["phase"]?.string == "Bound" && claim.status?.phase == "Bound")
        #expect(DiskMove.policy(of: volume) == policy)
        #expect(!volume.metadata.annotations.keys.contains { $0.contains("disk-move") })
        #expect(try String(contentsOfFile: #require(old.file), encoding: .utf8) == "of \(old.id)")
    }

    /// Returns once no disk is on its way.
    private func settled(_ stage: DiskStage) async throws {
        let deadline = ContinuousClock.now + .seconds(120)
        while true {
            let left = try await stage.client.list(.persistentVolumeClaims, in: Self.source).items
            let moving = try await stage.client.list(.persistentVolumeClaims, labels: Selector(DiskMove.label)).items
            if left.isEmpty && moving.isEmpty { return }
            guard .now < deadline else {
                Issue.record("not moved: \((left + moving).compactMap(\.metadata.name))")
                return
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    // MARK: Whole moves

    /// By the service itself, two of it at once.
    @Test func oldDisksMoveToTheirProjects() async throws {
        try await with { (stage) in
            let named = try await make(stage, "disk-named", name: "data", annotations: [DiskKeys.lifeSpan.old: "9e9"])
            let unnamed = try await make(stage, "disk-unnamed")
            let called = try await make(stage, "disk-called", name: "called", annotated: false)
            let pending = try await make(stage, "disk-pending", name: "later", isBound: false)
            let nobodys = try await make(stage, "disk-old", labels: [DiskKeys.user.old: "carol--ci"])
            try await stage.another(Self.settings) { (_) async throws in
                try await stage.another(Self.settings) { (_) async throws in try await settled(stage) }
            }
            for old in [named, unnamed, called, pending] { try await expectMoved(stage, old) }
            try await expectMoved(stage, nobodys, to: JobPlace(org: "no-org", project: "carol").namespace)
            #expect(try await stage.ids() == [called, named, pending, unnamed].map(\.id).sorted())
            for (name, old) in [("data", named), ("called", called), ("later", pending)] {
                let told = try await stage.get(name).json([String: JSON].self)
                #expect(told["id"]?.string == old.id && told["name"]?.string == name && told["owner"]?.string == "alice")
            }
            #expect(try await stage.get("data").json([String: JSON].self)["life_span"] != .null)
            #expect(try await stage.names().allSatisfy { $0.metadata.namespace == DiskStage.namespace })
            #expect(try await stage.names().count == 3)
            let space = try await stage.client.get(.namespaces, DiskStage.namespace)
            #expect(space.metadata.labels["platform.apolo.us/org"] == "acme")
        }
    }

    @Test func anAdministratorsRetainStays() async throws {
        try await with { (stage) in
            let old = try await make(stage, "disk-kept")
            let keep: Patch = .merge(["spec": ["persistentVolumeReclaimPolicy": "Retain"]])
            try await stage.client.patch(.persistentVolumes, #require(old.volume), keep)
            try await stage.withStore { store in try await end(disk(old, mover(store)), mover(store)) }
            try await expectMoved(stage, old, policy: "Retain")
        }
    }

    // MARK: In use

    @Test func aDiskInUseIsLeftAsItIs() async throws {
        try await with { (stage) in
            let old = try await make(stage, "disk-used", name: "data")
            let pending = try await make(stage, "disk-waited-for", isBound: false)
            _ = try await stage.pod(old.id, pending.id, in: Self.source)
            let volume = try await stage.client.get(.persistentVolumes, #require(old.volume))
            try await stage.withStore { store in
                let mover = mover(store)
                for disk in try await mover.disks() { #expect(try await mover.advance(disk) == .left("a pod uses it")) }
                #expect(try await stage.client.get(.persistentVolumes, #require(old.volume)) == volume)
                #expect(try await stage.claim(old.id) == nil)
                try await stage.setPhase("Succeeded", of: "p", in: Self.source)
                for disk in try await mover.disks() { try await end(disk, mover) }
            }
            for old in [old, pending] { try await expectMoved(stage, old) }
        }
    }

    /// A pod comes after a process had begun with the disk and died.
    @Test func whatWasBegunIsPutBackForAPod() async throws {
        try await with { (stage) in
            let old = try await make(stage, "disk-used")
            try await stage.withStore { store in
                let mover = mover(store)
                let disk = try await disk(old, mover)
                for begun in [2, 1] {
                    #expect(try await mover.advance(disk, steps: begun) == .interrupted)
                    let pod = "p\(begun)"
                    #expect(DiskMove.policy(of: try await stage.client.get(.persistentVolumes, #require(old.volume))) == "Retain")
                    _ = try await stage.pod(old.id, name: pod, in: Self.source)
                    #expect(try await mover.advance(disk) == .left("a pod uses it"))
                    let volume = try await stage.client.get(.persistentVolumes, #require(old.volume))
                    #expect(
                        DiskMove.policy(of: volume) == "Delete" && !volume.metadata.annotations.keys.contains { $0.contains("disk-move") })
                    #expect(try await stage.claim(old.id, in: Self.source)?.metadata.deletionTimestamp == nil)
                    try await stage.setPhase("Succeeded", of: pod, in: Self.source)
                }
                try await end(disk, mover)
            }
            try await expectMoved(stage, old)
        }
    }

    // MARK: Crashes

    /// Whoever comes next goes on from wherever the first one stopped.
    @Test(arguments: 0..<12) func aMoveThatStoppedGoesOn(_ steps: Int) async throws {
        try await with { (stage) in
            let bound = try await make(stage, "disk-bound", name: "data")
            let pending = try await make(stage, "disk-pending", name: "later", isBound: false)
            try await stage.withStore { store in
                let first = mover(store)
                for disk in try await first.disks() {
                    // Steps that wait for Kubernetes are not counted.
                    var left = steps
                    while left > 0, try await first.advance(disk, steps: 1) != .moved {
                        left -= 1
                        try await Task.sleep(for: .milliseconds(20))
                    }
                }
                let volume = try await stage.client.get(.persistentVolumes, #require(bound.volume))
                #expect(volume.metadata.uid == bound.volumeUID)
            }
            try await stage.another(Self.settings) { (_) async throws in try await settled(stage) }
            for old in [bound, pending] { try await expectMoved(stage, old) }
            #expect(try await stage.names().compactMap(\.metadata.namespace) == [DiskStage.namespace, DiskStage.namespace])
        }
    }

    @Test func severalAtOnceDoNoHarm() async throws {
        try await with { (stage) in
            var olds: [Old] = []
            for number in 0..<4 { olds.append(try await make(stage, "disk-\(number)", name: "data-\(number)", isBound: number != 0)) }
            try await stage.withStore { store in
                let mover = mover(store)
                let disks = try await mover.disks()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<4 {
                        for disk in disks.shuffled() { group.addTask { try await end(disk, mover) } }
                    }
                    try await group.waitForAll()
                }
            }
            for old in olds { try await expectMoved(stage, old) }
            #expect(try await stage.names().count == 4)
        }
    }

    // MARK: What does not fit

    @Test func aNameThatIsTakenIsLost() async throws {
        try await with { (stage) in
            let holder = try await stage.made(["name": "data"])
            let old = try await make(stage, "disk-named", name: "data")
            try await stage.withStore { store in try await end(disk(old, mover(store)), mover(store)) }
            try await expectMoved(stage, old)
            #expect(try await stage.get("data").json([String: JSON].self)["id"]?.string == holder)
            #expect(try await stage.get(old.id).json([String: JSON].self)["name"] == .null)
            #expect(try await stage.names().map(\.spec.diskID) == [holder])
        }
    }

    /// Neither a caller nor its life span takes a disk that is on its way.
    @Test func aDiskOnItsWayIsNotRemoved() async throws {
        try await with { (stage) in
            let old = try await make(stage, "disk-brief", annotations: [DiskKeys.lifeSpan.old: "1"])
            let kept = try await make(stage, "disk-other")
            try await stage.withStore { store in
                let mover = mover(store)
                let (brief, other) = (try await disk(old, mover), try await disk(kept, mover))
                for disk in [brief, other] { #expect(try await mover.advance(disk, steps: 2) == .interrupted) }
                let refused = try await stage.delete(kept.id)
                #expect(refused.status == 409 && refused.body.contains("moved"), "\(refused.body)")
                #expect(try await stage.ids() == [old.id, kept.id].sorted())
                for disk in [brief, other] { try await end(disk, mover) }
            }
            // Now it counts.
            try await stage.wait(old.id) { $0 == nil }
            try await expectMoved(stage, kept)
            #expect(try await stage.delete(kept.id).status == 204)
        }
    }

    /// Whoever may make claims in a namespace could otherwise keep one for ever, and its project from being removed.
    @Test func theLabelOfAMoveHoldsForAnHour() {
        var claim = PersistentVolumeClaim(metadata: ObjectMeta(name: "disk-held"))
        claim.metadata.creationTimestamp = Date(timeIntervalSince1970: 10_000)
        #expect(!DiskMove.holds(claim, at: Date(timeIntervalSince1970: 10_001)))
        claim.metadata.labels[DiskMove.label] = DiskKeys.yes
        #expect(DiskMove.holds(claim, at: Date(timeIntervalSince1970: 10_001)))
        #expect(!DiskMove.holds(claim, at: Date(timeIntervalSince1970: 10_000 + 3601)))
    }

    @Test func whatCannotMoveIsLeft() async throws {
        try await ClusterInProcess.virtual { (virtual) async throws in
            try await with { (stage) in
                let inside = try await make(stage, "disk-inside")
                let nobodys = try await make(stage, "disk-nobodys", labels: [DiskKeys.user.old: "", DiskKeys.project.old: "No_Project"])
                try await ProjectNamespace(name: DiskStage.namespace, org: "acme", project: "vision").ensure(on: stage.client)
                try await stage.client.create(.secrets, virtual.secret, in: DiskStage.namespace)
                try await stage.withStore { store in
                    let mover = mover(store)
                    let disks = try await mover.disks()
                    #expect(disks.map(\.id.text) == [inside.id])
                    for disk in disks {
                        guard case .left = try await mover.advance(disk) else {
                            Issue.record("moved into a virtual cluster")
                            return
                        }
                    }
                }
                for old in [inside, nobodys] {
                    #expect(try await stage.claim(old.id, in: Self.source)?.status?.phase == "Bound")
                    let volume = try await stage.client.get(.persistentVolumes, #require(old.volume))
                    #expect(
                        DiskMove.policy(of: volume) == "Delete" && !volume.metadata.annotations.keys.contains { $0.contains("disk-move") })
                }
            }
        }
    }

    /// People may make claims in their own namespaces.
    @Test func aForgedCopyGetsNoVolume() async throws {
        try await with { (stage) in
            let old = try await make(stage, "disk-wanted")
            _ = try await stage.made(as: "bob", org: "beta", project: "other")
            try await stage.withStore { store in
                let mover = mover(store)
                let disk = try await disk(old, mover)
                while try await stage.claim(old.id, in: Self.source) != nil { _ = try await mover.advance(disk, steps: 1) }
                var forged = try await stage.client.get(.persistentVolumeClaims, old.id, in: DiskStage.namespace)
                var metadata = ObjectMeta(name: old.id)
                metadata.labels = forged.metadata.labels
                DiskKeys.org.write("beta", to: &metadata.labels)
                DiskKeys.project.write("other", to: &metadata.labels)
                metadata.annotations = forged.metadata.annotations
                forged = PersistentVolumeClaim(metadata: metadata, spec: forged.spec)
                let theirs = JobPlace(org: "beta", project: "other").namespace
                let made = try await stage.client.create(.persistentVolumeClaims, forged, in: theirs)
                #expect(try await mover.advance(#require(OldDisk(made))) == .left("its volume is another claim's"))
                try await end(disk, mover)
                try await expectMoved(stage, old)
                #expect(try await mover.advance(#require(OldDisk(made))) == .left("its volume is another claim's"))
                #expect(try await stage.claim(old.id, in: theirs)?.status?.phase == "Pending")
            }
        }
    }

    @Test func aCopyThatCannotBeMadeLeavesTheVolumeAsItIs() async throws {
        try await with { (stage) in
            let old = try await make(stage, "disk-refused", name: "data")
            let volume = try await stage.client.get(.persistentVolumes, #require(old.volume))
            let claims = "/api/v1/namespaces/\(DiskStage.namespace)/persistentvolumeclaims"
            try await stage.fault("create", claims, status: 500, count: 1000)
            try await stage.withStore { store in
                let mover = mover(store)
                let disk = try await disk(old, mover)
                await #expect(throws: KubernetesError.self) { _ = try await mover.advance(disk) }
                #expect(try await stage.client.get(.persistentVolumes, #require(old.volume)) == volume)
                try await stage.fault("create", "/nowhere", status: 500)
                try await end(disk, mover)
            }
            try await expectMoved(stage, old)
            #expect(try await stage.names().map(\.metadata.namespace) == [DiskStage.namespace])
        }
    }

    @Test(arguments: ["platform jobs", "../x", "a.b", "Jobs"]) func aNamespaceThatIsNone(_ name: String) async throws {
        await #expect(throws: (any Error).self) {
            try await DiskStage.with(settings: ["disk.migration.namespace": name]) { (_) async throws in }
        }
    }
}
