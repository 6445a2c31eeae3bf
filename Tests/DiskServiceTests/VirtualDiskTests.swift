import Foundation
import Kubernetes
import PlatformModel
import ServiceTestSupport
import TestSupport
import Testing

@testable import DiskService

/// Projects with a virtual cluster of their own (disk.md 8.2, 8.7, 10.3). What a virtual cluster does with its claims on the host is done here
/// by `copy`.
@Suite(.timeLimit(.minutes(10))) struct VirtualDiskTests {
    private typealias Virtual = ClusterInProcess.VirtualCluster

    /// A project that is known to the host, and has a virtual cluster.
    private func with(settings: [String: String] = [:], _ body: (DiskStage, Virtual) async throws -> Void) async throws {
        try await ClusterInProcess.virtual { (virtual) async throws in
            try await DiskStage.with(settings: settings) { (stage) async throws in
                let place = try Self.place()
                let namespace = ProjectNamespace(name: place.namespace, org: "acme", project: "vision")
                try await namespace.ensure(on: stage.client)
                try await stage.client.create(.secrets, virtual.secret, in: DiskStage.namespace)
                try await body(stage, virtual)
            }
        }
    }

    private static func place() throws -> DiskPlace { DiskPlace(org: try OrgName("acme"), project: try ProjectName("vision")) }

    private func inside(_ virtual: Virtual) async throws -> [PersistentVolumeClaim] {
        try await virtual.client.list(.persistentVolumeClaims, in: "default").items
    }

    /// As the virtual cluster keeps a claim on the host; its name there.
    private func copy(_ id: String, of virtual: Virtual, to stage: DiskStage) async throws -> String {
        let claim = try await virtual.client.get(.persistentVolumeClaims, id, in: "default")
        var metadata = ObjectMeta(name: "\(id)-x-default-x-vcluster")
        metadata.labels = claim.metadata.labels
        metadata.labels["vcluster.loft.sh/managed-by"] = "vcluster"
        metadata.annotations = claim.metadata.annotations
        metadata.annotations["vcluster.loft.sh/object-name"] = id
        metadata.annotations["vcluster.loft.sh/object-uid"] = claim.metadata.uid
        try await stage.client.create(
            .persistentVolumeClaims, PersistentVolumeClaim(metadata: metadata, spec: claim.spec), in: DiskStage.namespace)
        return metadata.name ?? ""
    }

    private func until(_ done: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(90)
        while try await !done() {
            guard .now < deadline else { throw TestFailure("it does not come") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private struct TestFailure: Error {
        let text: String
        init(_ text: String) { self.text = text }
    }

    /// It counts from the moment it is there, and no longer than that.
    @Test func claimsAreInTheVirtualClusterAndNamesOnTheHost() async throws {
        try await ClusterInProcess.virtual { (virtual) async throws in
            try await DiskStage.with { (stage) async throws in
                let host = try await stage.made(["name": "host"])
                try await stage.client.create(.secrets, virtual.secret, in: DiskStage.namespace)
                #expect(try await stage.ids().isEmpty)
                // An id is found wherever it is.
                #expect(try await stage.get(host).status == 200)
                #expect(try await stage.get("host").status == 404)
                let id = try await stage.made(1000, ["name": "data", "life_span": 3600])
                let claim = try #require(try await inside(virtual).first)
                #expect(claim.metadata.name == id && claim.metadata.labels[DiskKeys.org.new] == "acme")
                #expect(claim.spec?.resources?.requests?["storage"]?.text == "1000")
                #expect(try await stage.claim(id) == nil)
                #expect(try await stage.names().first { $0.spec.diskID == id }?.metadata.namespace == DiskStage.namespace)
                #expect(try await stage.ids() == [id])
                #expect(try await stage.get(id).status == 200)
                #expect(try await stage.get("data").json([String: JSON].self)["id"]?.string == id)
                // Names are unique whichever cluster has the disk.
                for name in ["data", "host"] { #expect(try await stage.make(["name": .string(name)]).status == 409) }
                #expect(try await stage.delete("data").status == 204)
                #expect(try await inside(virtual).isEmpty)
                #expect(try await stage.names().map(\.spec.diskID) == [host])
                try await stage.client.delete(.secrets, "vc-vcluster", in: DiskStage.namespace)
                #expect(try await stage.ids() == [host])
            }
        }
    }

    @Test func whatTheVirtualClusterHasCountsForTheQuota() async throws {
        try await with { (stage, virtual) in
            _ = try await stage.made((20 << 20) - 100)
            #expect(try await stage.make(200).status == 403)
            #expect(try await inside(virtual).count == 1)
        }
    }

    /// Nothing falls back to the host.
    @Test func aVirtualClusterThatCannotBeTrusted() async throws {
        try await with { (stage, virtual) in
            try await ClusterInProcess.virtual { (other) async throws in
                let id = try await stage.made(["name": "data"])
                var (foreign, plain, broken) = (virtual.secret, virtual.secret, virtual.secret)
                foreign.data?["certificate-authority"] = other.secret.data?["certificate-authority"]
                plain.data?["config"] = Data(ClusterInProcess.Folder.kubeconfig(url: virtual.plainURL).utf8)
                broken.data?["client-key"] = Data("no key".utf8)
                for (secret, status) in [(foreign, 503), (plain, 500), (broken, 500)] {
                    try await stage.client.delete(.secrets, "vc-vcluster", in: DiskStage.namespace)
                    try await stage.client.create(.secrets, secret, in: DiskStage.namespace)
                    for answer in [
                        try await stage.call(.GET, "?" + DiskStage.acme), try await stage.get(id), try await stage.delete(id),
                        try await stage.make(["name": "other"]),
                    ] {
                        #expect(answer.status == status && !answer.body.contains("certificate"), "\(answer.body)")
                    }
                }
                #expect(try await inside(virtual).count == 1)
                #expect(try await stage.client.list(.persistentVolumeClaims).items.isEmpty)
                #expect(try await stage.names().map(\.spec.diskID) == [id])
            }
        }
    }

    /// The watcher sees copies on the host, writes what it learns there, and removes what they are copies of.
    @Test func copiesOnTheHostAreWatched() async throws {
        try await with { (stage, virtual) in
            let used = try await stage.made(["life_span": 3600])
            let shown = try await copy(used, of: virtual, to: stage)
            let start = UTCTime.now
            _ = try await stage.pod(shown)
            try await stage.wait(shown) {
                ($0?.metadata.annotations).flatMap(DiskKeys.lastUsage.value).flatMap(UnixStamp.time).map { $0 > start } ?? false
            }
            let brief = try await stage.made(["life_span": 1, "name": "brief"])
            _ = try await copy(brief, of: virtual, to: stage)
            try await until { try await inside(virtual).map(\.metadata.name) == [used] }
            #expect(try await stage.names().isEmpty)
            #expect(try await stage.claim(shown) != nil)
        }
    }

    /// A copy of a disk that was made anew under the same id says nothing about the new one.
    @Test func aCopyOfAnotherRemovesNothing() async throws {
        try await with { (stage, virtual) in
            let id = try await stage.made()
            let shown = try await copy(id, of: virtual, to: stage)
            let patch: JSONValue = ["metadata": ["annotations": ["vcluster.loft.sh/object-uid": "another"]]]
            _ = try await stage.client.patch(.persistentVolumeClaims, shown, in: DiskStage.namespace, .merge(patch))
            try await stage.withStore { (store) async throws in
                let claim = try await stage.client.get(.persistentVolumeClaims, shown, in: DiskStage.namespace)
                try await store.finish(#require(ClaimSpot(onHost: claim)))
                #expect(try await inside(virtual).count == 1)
                // Of a virtual cluster that has gone, the copy itself is all there is.
                try await stage.client.delete(.secrets, "vc-vcluster", in: DiskStage.namespace)
                try await store.finish(#require(ClaimSpot(onHost: claim)))
                try await stage.wait(shown) { $0 == nil }
            }
        }
    }

    @Test func whatWasLeftHalfwayIsFinishedInside() async throws {
        try await with(settings: ["disk.sweeping.interval": "0.5"]) { (stage, virtual) in
            let id = try await stage.made()
            let shown = try await copy(id, of: virtual, to: stage)
            let hidden: JSONValue = ["metadata": ["labels": .object([DiskKeys.deleted.old: "true", DiskKeys.deleted.new: "true"])]]
            _ = try await stage.client.patch(.persistentVolumeClaims, shown, in: DiskStage.namespace, .merge(hidden))
            try await until { try await inside(virtual).isEmpty }
        }
    }

    /// Clients that resolved a name in another project ask for the id in the current one.
    @Test func anIdIsFoundFromAnotherProject() async throws {
        try await with { (stage, virtual) in
            let id = try await stage.made()
            let sound = "org_name=acme&project_name=sound"
            #expect(try await stage.get(id, sound).status == 404)
            _ = try await copy(id, of: virtual, to: stage)
            #expect(try await stage.get(id, sound).json([String: JSON].self)["id"]?.string == id)
            #expect(try await stage.ids("org_name=acme") == [id])
            #expect(try await stage.get(id, "org_name=beta&project_name=other", as: "bob").status == 404)
            #expect(try await stage.delete(id, sound).status == 204)
            #expect(try await inside(virtual).isEmpty)
        }
    }

    @Test func theDisksOfARemovedProjectGo() async throws {
        try await with { (stage, virtual) in
            for name in ["one", "two"] { _ = try await stage.made(["name": .string(name)]) }
            try await stage.withStore { try await $0.removeAll(in: Self.place()) }
            #expect(try await inside(virtual).isEmpty)
            #expect(try await stage.names().isEmpty)
        }
    }

    /// On the host nothing is called as a disk of the virtual cluster, and its name is no leftover for that.
    @Test func namesOfDisksInsideAreNotTakenBack() async throws {
        try await with { (stage, virtual) in
            _ = try await stage.made(["name": "data"])
            let place = try Self.place()
            let left = DiskNaming(try DiskName("left"), of: .random(), in: place)
            try await stage.client.create(.diskNamings, left, in: DiskStage.namespace)
            try await stage.withHomes { homes in
                try await DiskNames(homes: homes, logger: TestLog().logger("test"), patience: -1).removeLeft()
            }
            #expect(try await stage.names().compactMap(\.metadata.name) == ["data--acme--vision"])
        }
    }
}
