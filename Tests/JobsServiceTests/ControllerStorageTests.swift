import Foundation
import Kubernetes
import Logging
import PlatformModel
import ServiceKit
import Testing

@testable import JobsService

/// A job's shared storage: in its pod, or there is no pod.
@Suite(.timeLimit(.minutes(10))) struct ControllerStorageTests {
    private let settings = ControllerSettings(registryPassword: Secret("token"))

    private func job(_ volumes: [JobContainer.Volume]) -> JobRecord {
        var spec = Fixture.spec()
        spec.container.volumes = volumes
        return Fixture.draft(spec: spec)
    }

    private func volume(_ uri: String, _ path: String = "/data", readOnly: Bool = false) -> JobContainer.Volume {
        .init(sourceURI: "storage://\(Fixture.cluster)/\(uri)", path: path, readOnly: readOnly)
    }

    private func document(_ backends: String?) throws -> ClusterDocument {
        var document = try Fixture.document()
        if let backends {
            let json = try JSONDecoder().decode(JSON.self, from: Data(backends.utf8))
            document.credentials = .object(["kubernetes": .object(["storage_backends": json])])
        }
        return document
    }

    private let folder = #"[{"host_path": {"path": "/exports"}}]"#

    private func pod(_ job: JobRecord, _ backends: String?) throws -> Pod {
        try PodBuilder(job: job, cluster: document(backends), settings: settings).pod()
    }

    @Test func whereTheClusterSaysWhatLiesUnderItsStorage() throws {
        let job = job([volume("acme/proj/data", readOnly: true), volume("acme/proj", "/all")])
        let pod = try pod(job, folder)
        let injected = try #require(pod.spec?.volumes?.first)
        #expect(pod.spec?.volumes?.count == 1 && injected.hostPath == HostPath(path: "/exports/acme/proj", type: ""))
        #expect(
            pod.spec?.containers.first?.volumeMounts == [
                VolumeMount(name: injected.name, mountPath: "/data", subPath: "data", readOnly: true),
                VolumeMount(name: injected.name, mountPath: "/all"),
            ])
        // What it asked for stands in it all the same, and a repeat makes the same pod.
        #expect(pod.metadata.labels["platform.apolo.us/inject-storage"] == "true")
        #expect(pod.metadata.annotations["platform.apolo.us/inject-storage"]?.contains("acme/proj/data") == true)
        #expect(try self.pod(job, folder).spec == pod.spec)
        #expect(JobStorage(job).isIn(pod))
    }

    @Test func whereItDoesNotThePodOnlyAsks() throws {
        let job = job([volume("acme/proj/data")])
        for backends in [nil, "[]"] {
            let pod = try pod(job, backends)
            #expect(pod.spec?.volumes == nil && pod.spec?.containers.first?.volumeMounts == nil)
            #expect(!JobStorage(job).isIn(pod))
        }
        #expect(try pod(self.job([]), folder).spec?.volumes == nil)
    }

    @Test(arguments: [
        ("acme/other/data", "project mismatch: `other`"), ("beta/proj/data", "org mismatch: `beta`"),
        ("acme", "Cluster, org and project names must be present"), ("acme/proj//data", "which is no name"),
    ])
    func whatAWebhookWouldDenyFailsTheJob(_ uri: String, _ why: String) throws {
        do {
            _ = try pod(job([volume(uri)]), folder)
            Issue.record("\(uri) was mounted")
        } catch let refusal as JobStartRefusal {
            #expect(refusal.reason.hasPrefix("storage volumes cannot be mounted on this cluster: ") && refusal.reason.contains(why))
            #expect(refusal.report.status == .failed)
        }
    }

    @Test func aPlaceThatNoBackendHolds() throws {
        #expect(throws: JobStartRefusal.storage("no storage back end holds `/acme/proj/data`")) {
            try pod(job([volume("acme/proj/data")]), #"[{"path": "/beta", "host_path": {"path": "/exports"}}]"#)
        }
    }

    // MARK: Where a webhook is to do it

    private func ensure(_ server: PodServer, _ client: KubernetesClient, _ job: JobRecord, _ backends: String? = nil) async throws -> Pod {
        let objects = JobObjects(client: client, settings: settings, mayAct: {}, logger: Logger(label: "test"))
        return try await objects.ensurePod(pod(job, backends), of: job)
    }

    private static let noWebhook =
        "storage volumes cannot be mounted on this cluster: it has neither storage back ends in its configuration nor the storage "
        + "service's admission webhook"

    private func expectRefusal(_ reason: String, _ body: () async throws -> Pod) async {
        do {
            _ = try await body()
            Issue.record("the pod was made")
        } catch {
            #expect((error as? JobStartRefusal)?.reason == reason, "\(error)")
        }
    }

    @Test func withoutAWebhookNoPodIsMade() async throws {
        try await PodServer.run { server, client in
            let job = job([volume("acme/proj/data")])
            await expectRefusal(Self.noWebhook) { try await ensure(server, client, job) }
            #expect(server.now.pods.isEmpty && server.now.asked == ["dry \(job.id)"])
        }
    }

    @Test func withOneThePodIsMadeOnceItIsCertain() async throws {
        try await PodServer.run { server, client in
            server.change { $0.injects = { _ in true } }
            let job = job([volume("acme/proj/data")])
            let made = try await ensure(server, client, job)
            #expect(JobStorage(job).isIn(made) && server.now.asked == ["dry \(job.id)", job.id.text])
            // Another leader finds it standing.
            #expect(try await ensure(server, client, job).metadata.uid == made.metadata.uid && server.now.removed.isEmpty)
        }
    }

    @Test func aWebhookThatGoesInBetween() async throws {
        try await PodServer.run { server, client in
            server.change { $0.injects = { $0 == 1 } }
            let job = job([volume("acme/proj/data")])
            await expectRefusal(Self.noWebhook) { try await ensure(server, client, job) }
            // Its program gets no time to notice.
            #expect(server.now.pods.isEmpty && server.now.removed == [job.id.text: 0])
        }
    }

    @Test func aPodThatStandsWithoutItsStorage() async throws {
        try await PodServer.run { server, client in
            let job = job([volume("acme/proj/data")])
            let bare = try pod(job, nil)
            _ = server.make(bare, isDryRun: false)
            await expectRefusal(Self.noWebhook) { try await ensure(server, client, job) }
            #expect(server.now.removed == [job.id.text: 0])
        }
    }

    @Test(arguments: [
        (403, #"admission webhook "storage.apolo.us" denied the request: project mismatch: `other`"#, "project mismatch: `other`"),
        (422, #"admission webhook "storage.apolo.us" denied the request: injection spec is invalid"#, "injection spec is invalid"),
        (400, #"admission webhook "x" does not support dry run"#, #"admission webhook "x" does not support dry run"#),
    ])
    func theWebhooksWordsReachTheJobsOwner(_ code: Int, _ message: String, _ why: String) async throws {
        try await PodServer.run { server, client in
            server.change { $0.denial = (code, message) }
            await expectRefusal("storage volumes cannot be mounted on this cluster: \(why)") {
                try await ensure(server, client, job([volume("acme/proj/data")]))
            }
        }
    }

    @Test func jobsWithoutStorageAreMadeAtOnce() async throws {
        try await PodServer.run { server, client in
            let job = job([])
            _ = try await ensure(server, client, job)
            let wired = self.job([volume("acme/proj/data")])
            _ = try await ensure(server, client, wired, folder)
            #expect(server.now.asked == [job.id.text, wired.id.text])
        }
    }
}
