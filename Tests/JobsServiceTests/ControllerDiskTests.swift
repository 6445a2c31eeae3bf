import Foundation
import Kubernetes
import PlatformModel
import Testing

@testable import JobsService

/// Which disks a job may have.
@Suite struct ControllerDiskTests {
    private func reference(_ uri: String) throws -> DiskReference {
        DiskReference(.init(sourceURI: try ResourceURI(uri), path: "/disk"))
    }

    private func claim(_ labels: [String: String]) -> PersistentVolumeClaim {
        PersistentVolumeClaim(metadata: ObjectMeta(name: "disk-a", labels: labels))
    }

    private let job = Fixture.draft(org: "acme", project: "vision")

    @Test func whatIsMountedIsWhatIsAskedFor() throws {
        let scope = JobScope(cluster: "test-cluster", org: "acme", project: "vision")
        func asked(_ uri: String, readOnly: Bool) throws -> [String] {
            var container = JobContainer(image: "busybox", resources: JobResources(cpu: 0.1, memory: 32 << 20))
            container.diskVolumes = [.init(sourceURI: try ResourceURI(uri), path: "/disk", readOnly: readOnly)]
            return JobPermissions.creating(container, in: scope, registry: "").dropFirst().map(\.description)
        }
        let own = "disk://test-cluster/acme/vision/disk-a"
        #expect(try asked(own, readOnly: true) == ["read on \(own)"])
        #expect(try asked(own, readOnly: false) == ["write on \(own)"])
        // Somebody who may use his own disk of that id has no right to the job's project's by it.
        let other = "disk://test-cluster/beta/other/disk-a"
        #expect(try asked(other, readOnly: false) == ["write on \(other)", "write on \(own)"])
        let read = try reference(own)
        #expect(read.id == "disk-a" && read.canBeNamed)
    }

    @Test(arguments: ["A", "a%20b", "-a", "a%25", "%C3%A9"])
    func whatCanBeNoClaimIsNotAskedFor(_ id: String) throws {
        #expect(try !reference("disk://test-cluster/acme/vision/\(id)").canBeNamed)
    }

    @Test func whoseADiskIs() {
        let (project, org) = ("platform.neuromation.io/project", "platform.neuromation.io/disk-api-org-name")
        #expect(DiskReference.mayUse(claim([project: "vision"]), job))
        #expect(DiskReference.mayUse(claim([project: "other", org: "ACME"]), job))
        #expect(!DiskReference.mayUse(claim([project: "other", org: "beta"]), job))
        #expect(!DiskReference.mayUse(claim([:]), job))
        for mark in ["platform.neuromation.io/disk-api-pvc-deleted", "platform.apolo.us/disk-deleted"] {
            #expect(!DiskReference.mayUse(claim([project: "vision", mark: "true"]), job))
        }
        var going = claim([project: "vision"])
        going.metadata.deletionTimestamp = Date()
        #expect(!DiskReference.mayUse(going, job))
        #expect(JobStartRefusal.missingDisks(["disk-b", "disk-a"]).report.reason == "Missing disks: 'disk-a', 'disk-b'")
    }
}
