import Foundation
import Kubernetes
import Logging
import PlatformClients
import PlatformModel
import ServiceKit
import TestSupport
import Testing

@testable import DiskService

/// What stands in Kubernetes, and what of it the API lets through (disk.md 8, 17, 18).
@Suite(.timeLimit(.minutes(5))) struct DiskClusterTests {
    @Test func aDiskIsAClaimWithBothKeysOfEverything() async throws {
        try await DiskStage.with(settings: ["disk.storage.class": "standard"]) { (stage) async throws in
            let id = try await stage.made(1000, ["name": "data", "life_span": 86400])
            let claim = try #require(try await stage.claim(id))
            for key in [DiskKeys.mark, DiskKeys.user, DiskKeys.org, DiskKeys.project] {
                #expect(claim.metadata.labels[key.old] != nil && claim.metadata.labels[key.old] == claim.metadata.labels[key.new])
            }
            #expect(claim.metadata.labels["platform.neuromation.io/user"] == "alice")
            #expect(claim.metadata.annotations["platform.neuromation.io/disk-api-pvc-life-span"] == "86400.0")
            #expect(claim.metadata.annotations["platform.apolo.us/disk-name"] == "data")
            #expect(claim.metadata.annotations["platform.apolo.us/disk-creation-date"]?.contains(".") == true)
            #expect(claim.spec?.accessModes == ["ReadWriteOnce"] && claim.spec?.volumeMode == "Filesystem")
            #expect(claim.spec?.storageClassName == "standard" && claim.spec?.resources?.requests?["storage"]?.text == "1000")
            let names = try await stage.names()
            #expect(names.map(\.metadata.name) == ["data--acme--vision"] && names.first?.spec.diskID == id)
            #expect(names.first?.metadata.namespace == DiskStage.namespace)
            let space = try await stage.client.get(.namespaces, DiskStage.namespace)
            #expect(
                space.metadata.labels["platform.apolo.us/org"] == "acme" && space.metadata.labels["platform.apolo.us/project"] == "vision")
            let policy = try await stage.client.get(.networkPolicies, DiskStage.namespace, in: DiskStage.namespace)
            #expect(policy.spec?.policyTypes == ["Egress"] && policy.spec?.egress?.count ?? 0 >= 4)
            #expect(try await stage.delete(id).status == 204)
            #expect(try await stage.names().isEmpty)
            try await stage.wait(id) { $0 == nil }
        }
    }

    @Test func anUnnamedDiskHasNoName() async throws {
        try await DiskStage.with { (stage) async throws in
            _ = try await stage.made()
            #expect(try await stage.names().isEmpty)
        }
    }

    @Test func onlyAPermittedCreationMakesANamespace() async throws {
        try await DiskStage.with { (stage) async throws in
            let before = try await stage.client.list(.namespaces).items.count
            #expect(try await stage.ids().isEmpty)
            #expect(try await stage.get("some-disk").status == 404)
            #expect(try await stage.delete("some-disk").status == 404)
            #expect(try await stage.make(as: "rita").status == 403)
            #expect(try await stage.make(as: "nobody").status == 401)
            #expect(try await stage.make(30 << 20).status == 403)
            #expect(try await stage.client.list(.namespaces).items.count == before)
        }
    }

    @Test func nobodyReachesKubernetesWithoutATokenOrWithAPath() async throws {
        try await DiskStage.with { (stage) async throws in
            _ = try await stage.made()
            let before = stage.askings(DiskStage.namespace)
            for text in ["..%2Fx", "%2e%2e%2Fsecrets%2Fx", "..", "UPPER", "a%20b", "a%00b", "a%3Fb", String(repeating: "a", count: 300)] {
                for name in ["alice", nil] as [String?] {
                    let status = try await stage.get(text, as: name).status
                    #expect((400..<405).contains(status), "\(text): \(status)")
                    #expect((400..<405).contains(try await stage.delete(text, as: name).status))
                }
            }
            for name in [nil, "nobody"] as [String?] {
                #expect(try await stage.get("some-disk", as: name).status == 401)
                #expect(try await stage.delete("some-disk", as: name).status == 401)
                #expect(try await stage.call(.GET, "?" + DiskStage.acme, as: name).status == 401)
            }
            #expect(try await stage.get("UPPER").body == "Disk UPPER not found")
            #expect(stage.askings(DiskStage.namespace) == before)
        }
    }

    @Test func oneQuestionToAuthForEachRequest() async throws {
        try await DiskStage.with { (stage) async throws in
            func questions(_ body: () async throws -> Void) async throws -> Int {
                let before = stage.auth.log.entries("request").count
                try await body()
                return stage.auth.log.entries("request").count - before
            }
            // The first of all learns by which keys tokens are signed.
            _ = try await stage.ids()
            var id = ""
            #expect(try await questions { id = try await stage.made(["name": "data"]) } == 1)
            #expect(try await questions { _ = try await stage.ids() } == 1)
            #expect(try await questions { _ = try await stage.ids("org_name=acme") } == 1)
            #expect(try await questions { _ = try await stage.get(id) } == 1)
            #expect(try await questions { _ = try await stage.get("data") } == 1)
            #expect(try await questions { _ = try await stage.get("UPPER") } == 1)
            #expect(try await questions { _ = try await stage.delete("data") } == 1)
        }
    }

    private func claim(_ name: String, _ change: (inout ObjectMeta) -> Void = { _ in }) -> PersistentVolumeClaim {
        var metadata = ObjectMeta(name: name)
        change(&metadata)
        return PersistentVolumeClaim(metadata: metadata, spec: ClaimSpec(accessModes: ["ReadWriteOnce"], storage: "500"))
    }

    @Test func otherClaimsAreNoDisks() async throws {
        try await DiskStage.with { (stage) async throws in
            let id = try await stage.made()
            let adopted: (inout ObjectMeta) -> Void = {
                DiskKeys.mark.write("true", to: &$0.labels)
                DiskKeys.org.write("acme", to: &$0.labels)
                DiskKeys.project.write("vision", to: &$0.labels)
                DiskKeys.user.write("vision", to: &$0.labels)
            }
            let others = [
                claim("database"),
                claim("marked-anew-only") {
                    adopted(&$0)
                    $0.labels[DiskKeys.mark.old] = nil
                },
                claim("hidden") {
                    adopted(&$0)
                    DiskKeys.deleted.write("true", to: &$0.labels)
                },
                claim("of-somebody-else") {
                    adopted(&$0)
                    DiskKeys.org.write("beta", to: &$0.labels)
                },
            ]
            for other in others { try await stage.client.create(.persistentVolumeClaims, other, in: DiskStage.namespace) }
            try await stage.client.create(.persistentVolumeClaims, claim("data-my-app-0", adopted), in: DiskStage.namespace)
            #expect(try await stage.ids(as: "root") == ["data-my-app-0", id].sorted())
            for other in others.compactMap(\.metadata.name) {
                #expect(try await stage.get(other, as: "root").status == 404, "\(other)")
                #expect(try await stage.delete(other, as: "root").status == 404, "\(other)")
                #expect(try await stage.claim(other) != nil)
            }
            // What a webhook has adopted is a disk; its owner is the project.
            let disk = try await stage.get("data-my-app-0").json([String: JSON].self)
            #expect(disk["owner"] == "vision" && disk["name"] == .null && disk["created_at"]?.string.flatMap { UTCTime($0) } != nil)
            #expect(try await stage.delete("data-my-app-0").status == 204)
        }
    }

    @Test func aNameLeadsNowhereElse() async throws {
        try await DiskStage.with { (stage) async throws in
            _ = try await stage.made(["name": "data"])
            try await stage.client.create(.persistentVolumeClaims, claim("database"), in: DiskStage.namespace)
            for target in ["database", "../../secrets/x", "disk-gone"] {
                _ = try await stage.client.patch(
                    .diskNamings, "data--acme--vision", in: DiskStage.namespace, .merge(["spec": ["disk_id": .string(target)]]))
                let answer = try await stage.get("data", as: "root")
                #expect(answer.status == 404 && answer.body == "Disk data not found")
            }
        }
    }

    @Test func theIdOfAClaimComesBeforeAName() async throws {
        try await DiskStage.with { (stage) async throws in
            let marks: (inout ObjectMeta) -> Void = {
                DiskKeys.mark.write("true", to: &$0.labels)
                DiskKeys.org.write("acme", to: &$0.labels)
                DiskKeys.project.write("vision", to: &$0.labels)
            }
            let named = try await stage.made(["name": "data"])
            try await stage.client.create(.persistentVolumeClaims, claim("data", marks), in: DiskStage.namespace)
            #expect(try await stage.get("data").json([String: JSON].self)["id"] == "data")
            #expect(try await stage.delete("data").status == 204)
            try await stage.wait("data") { $0 == nil }
            #expect(try await stage.get("data").json([String: JSON].self)["id"]?.string == named)
        }
    }

    @Test func aDiskThatGrewIsReportedAndCounted() async throws {
        try await DiskStage.with { (stage) async throws in
            let id = try await stage.made(1000)
            try await stage.wait(id) { $0?.status?.phase == "Bound" }
            let grown: JSONValue = ["spec": ["resources": ["requests": ["storage": "10Mi"]]]]
            _ = try await stage.client.patch(.persistentVolumeClaims, id, in: DiskStage.namespace, .merge(grown))
            try await stage.wait(id) { $0?.status?.capacity?["storage"]?.text == "10Mi" }
            #expect(try await stage.get(id).json([String: JSON].self)["storage"] == .integer(10 << 20))
            #expect(try await stage.make(11 << 20).status == 403)
            _ = try await stage.made(10 << 20)
        }
    }

    @Test func anAbsentClusterIsNoEmptyOne() async throws {
        try await DiskStage.with { (stage) async throws in
            let id = try await stage.made(["name": "data"])
            let claims = "/api/v1/namespaces/\(DiskStage.namespace)/persistentvolumeclaims"
            func isAway(_ verb: String, _ ask: () async throws -> TestAnswer) async throws {
                // As often as the client asks by itself, and once more.
                try await stage.fault(verb, claims, status: 503, count: 1000)
                let answer = try await ask()
                #expect(
                    answer.status == 503 && answer.headers.first(name: "Retry-After") != nil, "\(verb): \(answer.status) \(answer.body)")
                #expect(!answer.body.contains(DiskStage.namespace))
                try await stage.fault(verb, "/nowhere", status: 503)
            }
            try await isAway("list") { try await stage.call(.GET, "?" + DiskStage.acme) }
            try await isAway("list") { try await stage.make() }
            try await isAway("get") { try await stage.get(id) }
            try await isAway("create") { try await stage.make(["name": "other"]) }
            // The name that was taken for it is free again.
            #expect(try await stage.names().count == 1)
            #expect(try await stage.ids() == [id])
            _ = try await stage.made(["name": "other"])
        }
    }

    @Test func aRemovalThatWasCutOffIsRepeatable() async throws {
        try await DiskStage.with { (stage) async throws in
            let id = try await stage.made(["name": "data"])
            let claims = "/api/v1/namespaces/\(DiskStage.namespace)/persistentvolumeclaims"
            try await stage.fault("patch", claims, status: 500, count: 1000)
            #expect(try await stage.delete(id).status == 503)
            try await stage.fault("patch", "/nowhere", status: 500, count: 1)
            #expect(try await stage.delete(id).status == 204)
            #expect(try await stage.ids().isEmpty)
            _ = try await stage.made(["name": "data"])
        }
    }

    @Test func aDiskMountedInAPodIsHiddenAtOnceAndStays() async throws {
        try await DiskStage.with { (stage) async throws in
            let id = try await stage.made(["name": "data"])
            try await stage.wait(id) { $0?.status?.phase == "Bound" }
            let pod = try await stage.pod(id)
            _ = try await stage.client.patch(
                .persistentVolumeClaims, id, in: DiskStage.namespace, .merge(["metadata": ["finalizers": ["test/held"]]]))
            #expect(try await stage.delete(id).status == 204)
            #expect(try await stage.ids().isEmpty)
            #expect(try await stage.get(id).status == 404)
            #expect(try await stage.delete(id).status == 404)
            #expect(try await stage.claim(id)?.metadata.deletionTimestamp != nil)
            _ = try await stage.made(["name": "data"])
            try await stage.client.delete(.pods, pod.metadata.name ?? "", in: DiskStage.namespace, .init(gracePeriodSeconds: 0))
        }
    }

    @Test func aNameThatWasLeftIsTakenBack() async throws {
        try await DiskStage.with { (stage) async throws in
            _ = try await stage.made()
            let (org, project) = (try OrgName("acme"), try ProjectName("vision"))
            let place = DiskPlace(org: org, project: project)
            let left = DiskNaming(try DiskName("left"), of: .random(), in: place)
            let made = try await stage.client.create(.diskNamings, left, in: DiskStage.namespace)
            // Its disk may still be on its way.
            #expect(try await stage.make(["name": "left"]).status == 409)
            #expect(made.metadata.creationTimestamp != nil)
            // Later it is not: as if that were now.
            try await stage.withHomes { homes in
                let names = DiskNames(homes: homes, logger: TestLog().logger("test"), patience: -5)
                let id = DiskReference.random()
                try await names.take(DiskName("left"), for: id, in: place)
                #expect(try await names.holder(of: DiskName("left"), in: place) == id)
                // A name whose disk stands is nobody else's, however old.
                let standing = try #require(DiskReference(try await stage.made(["name": "kept"])))
                await #expect(throws: DiskRefusal.self) { try await names.take(DiskName("kept"), for: id, in: place) }
                #expect(try await names.holder(of: DiskName("kept"), in: place) == standing)
            }
        }
    }

    /// Names that meet in one namespace, or somebody who made it before.
    @Test func aNamespaceThatIsAnothersIsLeftAlone() async throws {
        try await DiskStage.with { (stage) async throws in
            let labels = ["platform.apolo.us/org": "beta", "platform.apolo.us/project": "vision"]
            let metadata = ObjectMeta(name: DiskStage.namespace, labels: labels)
            try await stage.client.create(.namespaces, Namespace(metadata: metadata))
            let answer = try await stage.make(["name": "data"])
            #expect(answer.status == 409 && answer.body.contains("taken by another project"), "\(answer.status) \(answer.body)")
            #expect(try await stage.client.list(.persistentVolumeClaims).items.isEmpty)
            #expect(try await stage.names().isEmpty)
            #expect(try await stage.client.list(.networkPolicies, in: DiskStage.namespace).items.isEmpty)
        }
    }

    @Test func withoutAuthNothingIsAllowed() async throws {
        try await DiskStage.with { (stage) async throws in
            let id = try await stage.made()
            stage.auth.assembly.shutDown()
            let deadline = ContinuousClock.now + .seconds(90)
            while try await stage.get(id).status != 503 {
                guard .now < deadline else { throw SettingError("auth-api does not go") }
                try await Task.sleep(for: .milliseconds(50))
            }
            let answers = [
                try await stage.make(), try await stage.get(id), try await stage.delete(id), try await stage.get("UPPER"),
                try await stage.call(.GET, "?" + DiskStage.acme),
            ]
            for answer in answers {
                #expect(answer.status == 503 && answer.headers.first(name: "Retry-After") != nil, "\(answer.status) \(answer.body)")
            }
            let claims = try await stage.client.list(.persistentVolumeClaims, in: DiskStage.namespace).items
            #expect(claims.map(\.metadata.name) == [id] && claims.first?.metadata.deletionTimestamp == nil)
        }
    }

    @Test func anOwnerWhomNoLabelCanHold() async throws {
        try await DiskStage.with { (stage) async throws in
            let before = stage.askings("/namespaces/")
            let answer = try await stage.make(as: "alice/" + String(repeating: "a", count: 63))
            #expect(answer.status == 400 && answer.body.contains("longer than 63 characters"), "\(answer.status) \(answer.body)")
            #expect(stage.askings("/namespaces/") == before)
        }
    }
}
