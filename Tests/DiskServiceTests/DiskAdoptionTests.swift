import Foundation
import Kubernetes
import PlatformModel
import TestSupport
import Testing

@testable import DiskService

/// Claims become disks, as an API server asks for it over TLS (disk.md 12.4).
@Suite(.timeLimit(.minutes(10))) struct DiskAdoptionTests {
    private typealias Stage = DiskWebhookStage

    private static let pairs = [
        "disk-api-pvc": "disk", "user": "user", "disk-api-org-name": "org", "project": "project",
    ]

    private func expectAdopted(_ claim: PersistentVolumeClaim, named name: String?) {
        let (labels, annotations) = (claim.metadata.labels, claim.metadata.annotations)
        let values = ["disk": "true", "user": "vision", "org": "acme", "project": "vision"]
        for (old, new) in Self.pairs {
            #expect(labels["platform.neuromation.io/\(old)"] == values[new] && labels["platform.apolo.us/\(new)"] == values[new], "\(new)")
        }
        let created = annotations["platform.neuromation.io/disk-api-pvc-created-at"]
        #expect(created.flatMap(UnixStamp.time) != nil && annotations["platform.apolo.us/disk-creation-date"] == created)
        #expect(annotations["platform.neuromation.io/disk-api-pvc-name"] == name)
        #expect(annotations["platform.apolo.us/disk-name"] == name)
        #expect(claim.spec?.storageClassName == "standard")
    }

    // MARK: What becomes of claims

    @Test func claimsOfATemplateBecomeDisks() async throws {
        try await Stage.run { (webhook) async throws in
            for name in ["data-app-0", "data-app-1"] { expectAdopted(try await webhook.make(Stage.claim(name)), named: nil) }
            #expect(try await webhook.stage.names().isEmpty)
            #expect(try await webhook.stage.ids() == ["data-app-0", "data-app-1"])
            // They are the project's, and each has a permission of its own.
            let disk = try await webhook.stage.get("data-app-0").json([String: JSON].self)
            #expect(disk["owner"] == "vision" && disk["name"] == .null && disk["org_name"] == "acme" && disk["storage"] == 1_048_576)
            #expect(disk["created_at"]?.string.flatMap { UTCTime($0) } != nil)
            try await webhook.stage.grant("disk://default/acme/vision/data-app-1", .read, to: "bob")
            #expect(try await webhook.stage.ids(as: "bob") == ["data-app-1"])
            // They count.
            #expect(try await webhook.stage.make(19 << 20).status == 403)
            #expect(try await webhook.stage.delete("data-app-0").status == 204)
            #expect(try await webhook.stage.ids() == ["data-app-1"])
        }
    }

    @Test func namedClaimsOfATemplateHaveTheirIndexInTheName() async throws {
        try await Stage.run { (webhook) async throws in
            for (key, index) in [("platform.apolo.us/disk-name", 0), ("platform.neuromation.io/disk-api-pvc-name", 1)] {
                let claim = Stage.claim("data-app-\(index)", annotations: .object([key: "test-disk"]))
                expectAdopted(try await webhook.make(claim), named: "test-disk-\(index)")
            }
            let names = try await webhook.stage.names()
            #expect(names.map(\.metadata.name) == ["test-disk-0--acme--vision", "test-disk-1--acme--vision"])
            #expect(names.map(\.spec.diskID) == ["data-app-0", "data-app-1"])
            #expect(names.allSatisfy { $0.metadata.namespace == DiskStage.namespace })
            #expect(try await webhook.stage.get("test-disk-1").json([String: JSON].self)["id"] == "data-app-1")
            #expect(try await webhook.stage.delete("test-disk-1").status == 204)
            #expect(try await webhook.stage.names().map(\.metadata.name) == ["test-disk-0--acme--vision"])
        }
    }

    @Test func theClassIsThePlatforms() async throws {
        try await Stage.run { (webhook) async throws in
            for name in ["fast", "", nil] as [String?] {
                let claim = try await webhook.admitted(Stage.claim("data", storageClass: name))
                #expect(claim["spec"]?["storageClassName"] == "standard")
            }
            // The service's own claims know theirs.
            let own = try await webhook.admitted(Stage.claim("data", storageClass: "fast"), by: Stage.account)
            #expect(own["spec"]?["storageClassName"] == "fast")
        }
        try await Stage.run(["disk.storage.class": "special"]) { (webhook) async throws in
            #expect(try await webhook.admitted(Stage.claim("data"))["spec"]?["storageClassName"] == "special")
        }
    }

    @Test func mapsThatAreNullAreMade() async throws {
        try await Stage.run { (webhook) async throws in
            let claim = try await webhook.admitted(Stage.claim("data", labels: .null, annotations: .null))
            #expect(claim["metadata"]?["labels"]?["platform.apolo.us/user"] == "vision")
            #expect(claim["metadata"]?["annotations"]?["platform.apolo.us/disk-creation-date"]?.string != nil)
        }
    }

    // MARK: What is not believed

    @Test func labelsThatSayOtherwiseAreOverwritten() async throws {
        try await Stage.run { (webhook) async throws in
            var labels: [String: JSONValue] = ["app": "kept", "platform.neuromation.io/disk-api-pvc-deleted": "true"]
            labels["platform.apolo.us/disk-deleted"] = "true"
            for (old, new) in Self.pairs {
                labels["platform.neuromation.io/\(old)"] = "other"
                labels["platform.apolo.us/\(new)"] = "other"
            }
            let claim = try await webhook.make(Stage.claim("data", labels: .object(labels)))
            expectAdopted(claim, named: nil)
            #expect(claim.metadata.labels["app"] == "kept" && claim.metadata.labels.count == 9)
            #expect(try await webhook.stage.ids() == ["data"])
        }
    }

    @Test func theServicesOwnDisksKeepTheirOwners() async throws {
        try await Stage.run { (webhook) async throws in
            let labels: JSONValue = ["platform.neuromation.io/user": "alice", "platform.apolo.us/user": "alice"]
            let own = try await webhook.admitted(Stage.claim("data", labels: labels), by: Stage.account)
            #expect(own["metadata"]?["labels"]?["platform.apolo.us/user"] == "alice")
            let other = try await webhook.admitted(Stage.claim("data", labels: labels))
            #expect(other["metadata"]?["labels"]?["platform.apolo.us/user"] == "vision")
        }
    }

    /// The last group of such an id looks like the index of a StatefulSet's pod.
    @Test func theServicesOwnDisksKeepTheirNames() async throws {
        try await Stage.run { (webhook) async throws in
            let id = "disk-01234567-89ab-4cde-8f01-012345678901"
            let claim = Stage.claim(id, annotations: ["platform.apolo.us/disk-name": "data"])
            for username in [Stage.account, Stage.somebody] {
                let admitted = try await webhook.admitted(claim, by: username)
                #expect(admitted["metadata"]?["annotations"]?["platform.apolo.us/disk-name"] == "data")
            }
            #expect(try await webhook.stage.names().map(\.metadata.name) == ["data--acme--vision"])
            // A disk that the API made as a whole is left alone.
            let made = try await webhook.stage.made(["name": "whole"])
            let object = try await webhook.stage.client.get(ResourceKind.persistentVolumeClaims.generic, made, in: DiskStage.namespace)
            var whole = try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(object))
            whole["kind"] = "PersistentVolumeClaim"
            #expect(try await webhook.ask(whole, by: Stage.account).operations == nil)
        }
    }

    // MARK: Names

    @Test func askedAgainTheNameIsTheSame() async throws {
        try await Stage.run { (webhook) async throws in
            var claim = Stage.claim("data-app-0", annotations: ["platform.apolo.us/disk-name": "test-disk"])
            for _ in 0..<3 {
                claim = try await webhook.admitted(claim)
                #expect(claim["metadata"]?["annotations"]?["platform.apolo.us/disk-name"] == "test-disk-0")
            }
            #expect(try await webhook.ask(claim).operations == nil)
            #expect(try await webhook.stage.names().count == 1)
        }
    }

    @Test func aNameIsGivenOnce() async throws {
        try await Stage.run { (webhook) async throws in
            _ = try await webhook.stage.made(["name": "taken"])
            let claim = Stage.claim("other", annotations: ["platform.apolo.us/disk-name": "taken"])
            for isDryRun in [false, true] {
                let answer = try await webhook.ask(claim, isDryRun: isDryRun)
                #expect(answer.denial == "409 Disk with name taken--acme--vision already exists for project vision")
            }
            let own = Stage.claim("mine", annotations: ["platform.apolo.us/disk-name": "my-disk"])
            try await webhook.make(own)
            #expect(try await webhook.stage.make(["name": "my-disk"]).status == 409)
        }
    }

    @Test(arguments: ["1digit", "ab", "with space", "UPPER", "a/../b", "double--hyphen", String(repeating: "a", count: 41)])
    func namesThatAreNone(_ name: String) async throws {
        try await Stage.run { (webhook) async throws in
            let answer = try await webhook.ask(Stage.claim("data", annotations: ["platform.apolo.us/disk-name": .string(name)]))
            #expect(answer.denial?.hasPrefix("422 The disk name \(name.prefix(100)) is invalid") == true, "\(answer.denial ?? "allowed")")
            #expect(try await webhook.stage.names().isEmpty)
        }
    }

    @Test func aNameNeedsAClaimWithAName() async throws {
        try await Stage.run { (webhook) async throws in
            let long = Stage.claim("data-10", annotations: ["platform.apolo.us/disk-name": .string(String(repeating: "a", count: 39))])
            #expect(try await webhook.ask(long).denial?.hasPrefix("422 The disk name") == true)
            let nameless = Stage.claim(nil, annotations: ["platform.apolo.us/disk-name": "data"])
            #expect(try await webhook.ask(nameless).denial == "422 A claim with a disk name needs a name of its own")
            #expect(try await webhook.ask(Stage.claim(nil)).isAllowed)
        }
    }

    @Test func aRehearsalTakesNoName() async throws {
        try await Stage.run { (webhook) async throws in
            let claim = Stage.claim("data-app-0", annotations: ["platform.apolo.us/disk-name": "test-disk"])
            let admitted = try await webhook.admitted(claim, isDryRun: true)
            #expect(admitted["metadata"]?["annotations"]?["platform.apolo.us/disk-name"] == "test-disk-0")
            #expect(try await webhook.stage.names().isEmpty)
        }
    }

    /// A claim that was copied out of a virtual cluster is called there as its users know it.
    @Test func claimsOfAVirtualCluster() async throws {
        try await Stage.run { (webhook) async throws in
            let annotations: JSONValue = ["platform.apolo.us/disk-name": "test-disk", "vcluster.loft.sh/object-name": "data-app-3"]
            try await webhook.make(Stage.claim("data-app-3-x-default-x-vc", annotations: annotations))
            let names = try await webhook.stage.names()
            #expect(names.map(\.metadata.name) == ["test-disk-3--acme--vision"] && names.first?.spec.diskID == "data-app-3")
            for disk in ["data-app-3", "test-disk-3"] {
                let pod = try await webhook.admitted(Stage.pod("[\(Stage.entry(disk))]"))
                let volume = pod["spec"]?["volumes"]?[0]
                #expect(volume?["persistentVolumeClaim"]?["claimName"] == "data-app-3-x-default-x-vc", "\(disk)")
            }
            let mangled = try await webhook.ask(Stage.pod("[\(Stage.entry("data-app-3-x-default-x-vc"))]"))
            #expect(mangled.denial == "404 Disk data-app-3-x-default-x-vc not found")
        }
    }
}
