import Foundation
import Kubernetes
import PlatformModel
import TestSupport
import Testing

@testable import JobsService

/// Jobs on a genuine cluster.
@Suite(.serialized, .enabled(if: ControllerCluster.kubeconfig != nil), .timeLimit(.minutes(3)))
struct ControllerClusterTests {
    @Test func jobsRunToTheirEnd() async throws {
        try await ControllerCluster.with { cluster in
            try await cluster.withController {
                let good = try await cluster.insert("echo hello; sleep 1; echo bye", name: "hello")
                let bad = try await cluster.insert("echo oh no; exit 3")
                let running = try await cluster.wait(good.id) { $0.status == .running }
                let service = try await cluster.client.get(.services, good.id.text, in: good.namespace)
                #expect(service.spec?.selector?[JobLabels.job] == good.id.text)
                let named = try await cluster.client.get(.services, try #require(good.namedHost), in: good.namespace)
                #expect(named.metadata.labels[JobLabels.job] == good.id.text)
                let ingress = try await cluster.client.get(.ingresses, good.id.text, in: good.namespace)
                #expect(ingress.spec?.rules?.compactMap(\.host).first == "\(good.id).jobs.example.org")
                #expect(try await cluster.client.find(.networkPolicies, good.namespace, in: good.namespace) != nil)
                let succeeded = try await cluster.wait(good.id, \.isFinished)
                #expect(succeeded.status == .succeeded && succeeded.history.current.exitCode == 0)
                let failed = try await cluster.wait(bad.id, \.isFinished)
                #expect(failed.history.current.report == .init(.failed, reason: "Error", description: "oh no\n", exitCode: 3))
                #expect(running.history.items.map(\.status).filter { $0 == .running }.count == 1)
                try await report(succeeded, cluster)
            }
        }
    }

    /// How much of the time is ours: creation to pod, and container exit to record.
    private func report(_ job: JobRecord, _ cluster: ControllerCluster) async throws {
        let pod = try #require(try await cluster.pods(job).first)
        let created = try #require(pod.metadata.creationTimestamp).timeIntervalSince(job.history.createdAt.date)
        let items = job.history.items.map {
            "\($0.status.rawValue)/\($0.reason ?? "-") \($0.transitionTime.seconds(since: job.history.createdAt))"
        }
        let ended = try #require(pod.status?.containerStatuses?.first?.terminated?.finishedAt)
        let told = try #require(job.history.finishedAt).date.timeIntervalSince(ended)
        print("job history: \(items); pod created after \(created) s, end told after \(told) s (whole seconds of the API)")
        #expect(created < 2)
    }

    @Test func anImageThatDoesNotExistIsGivenUp() async throws {
        try await ControllerCluster.with(imagePullDelay: .seconds(1)) { cluster in
            try await cluster.withController {
                let job = try await cluster.insert("true") { $0.container.image = "registry.local/no-such-image" }
                let failed = try await cluster.wait(job.id, \.isFinished)
                #expect(
                    failed.history.current.report
                        == .init(.failed, reason: "Collected", description: "Image 'registry.local/no-such-image' can not be pulled"))
                try await cluster.wait(job.id) { !$0.materialized }
                try await cluster.waitUntilPodsGo(job)
                let invalid = try await cluster.insert("true") { $0.container.image = "No Such Image" }
                #expect(
                    try await cluster.wait(invalid.id, \.isFinished).history.current.description == "Invalid image name 'No Such Image'")
            }
        }
    }

    @Test func whatFitsNowhereFailsAndWhatDoesNotFitNowWaits() async throws {
        try await ControllerCluster.with { cluster in
            try await cluster.withController {
                let never = try await cluster.insert("true") { $0.presetName = "gpu" }
                let refused = try await cluster.wait(never.id, \.isFinished)
                #expect(refused.history.current.reason == "Job cannot be scheduled")
                #expect(!refused.materialized)
                let later = try await cluster.insert("true") { $0.container.resources.cpu = 900 }
                let waiting = try await cluster.wait(later.id) { $0.history.current.reason == "Scheduling" }
                #expect(waiting.status == .pending && waiting.materialized)
                try await cluster.store.apply([.cancelled(reason: JobStatusReason.userRequested)], to: later.id)
                let gone = try await cluster.wait(later.id) { !$0.materialized }
                #expect(gone.status == .cancelled)
                try await cluster.waitUntilPodsGo(later)
            }
        }
    }

    @Test func aCancelledJobLeavesNothing() async throws {
        try await ControllerCluster.with { cluster in
            try await cluster.withController {
                let job = try await cluster.insert("sleep 600", name: "shell")
                try await cluster.wait(job.id) { $0.status == .running }
                try await cluster.store.apply([.cancelled(reason: JobStatusReason.userRequested)], to: job.id)
                try await cluster.wait(job.id) { !$0.materialized }
                #expect(try await cluster.client.list(.services, in: job.namespace).items.isEmpty)
                #expect(try await cluster.client.list(.ingresses, in: job.namespace).items.isEmpty)
                try await cluster.waitUntilPodsGo(job)
                // Cancelled before anybody looked: nothing is made.
                let early = try await cluster.insert("sleep 600")
                try await cluster.store.apply([.cancelled(reason: nil)], to: early.id)
                try await cluster.wait(early.id) { !$0.materialized }
                try await cluster.waitUntilPodsGo(early)
            }
        }
    }

    @Test func aPodThatVanishes() async throws {
        try await ControllerCluster.with { cluster in
            try await cluster.withController {
                let once = try await cluster.insert("sleep 600")
                let again = try await cluster.insert("sleep 600") { $0.restartPolicy = .always }
                for job in [once, again] {
                    try await cluster.wait(job.id) { $0.status == .running }
                    try await cluster.client.delete(.pods, job.id.text, in: job.namespace, DeleteOptions(gracePeriodSeconds: 0))
                }
                let lost = try await cluster.wait(once.id, \.isFinished)
                #expect(lost.history.current.reason == "NotFound")
                try await cluster.wait(once.id) { !$0.materialized }
                let second = try await cluster.wait(again.id) { $0.attempt == 2 && $0.hasStarted && $0.status == .running }
                #expect(!second.isFinished)
                #expect(try await cluster.pods(again).compactMap(\.metadata.name) == ["\(again.id)-2"])
                try await cluster.store.apply([.cancelled(reason: nil)], to: again.id)
                try await cluster.wait(again.id) { !$0.materialized }
            }
        }
    }

    @Test func aNamespaceThatWasRemovedIsMadeAgain() async throws {
        try await ControllerCluster.with { cluster in
            try await cluster.withController {
                let first = try await cluster.insert("true")
                try await cluster.wait(first.id, \.isFinished)
                try await cluster.client.delete(.namespaces, first.namespace)
                // While it goes nothing can be made in it, and no job fails for that.
                let second = try await cluster.insert("true")
                let ended = try await cluster.wait(second.id, \.isFinished)
                #expect(ended.status == .succeeded)
            }
        }
    }

    @Test func leadersThatComeAndGoStartNothingTwice() async throws {
        try await ControllerCluster.with { cluster in
            var jobs: [JobRecord] = []
            for _ in 0..<6 { jobs.append(try await cluster.insert("sleep 3; exit 0")) }
            let namespace = try #require(jobs.first?.namespace)
            let seen = Mutexed<[String: Set<String>]>([:])
            let witness = Task {
                for await event in cluster.client.watch(.pods, in: namespace) {
                    guard case .added(let pod) = event else { continue }
                    var all = seen.value
                    all[pod.metadata.labels[JobLabels.job] ?? "", default: []].insert(pod.metadata.uid ?? "")
                    seen.set(all)
                }
            }
            for round in 0..<12 {
                let leader = cluster.controller("leader-\(round)")
                try await Task.sleep(for: .milliseconds(Int.random(in: 30...350)))
                leader.cancel()
                await leader.value
            }
            try await cluster.withController {
                for job in jobs {
                    let ended = try await cluster.wait(job.id, \.isFinished)
                    #expect(ended.status == .succeeded)
                    #expect(ended.attempt == 1)
                }
            }
            witness.cancel()
            #expect(seen.value.values.allSatisfy { $0.count == 1 })
        }
    }

    @Test func theAPIServerAwayFailsNoJob() async throws {
        try await TestProxy.with(host: "127.0.0.1", port: ControllerCluster.serverPort()) { proxy in
            try await ControllerCluster.with(server: "https://127.0.0.1:\(proxy.port)") { cluster in
                try await cluster.withController {
                    let job = try await cluster.insert("sleep 2")
                    try await cluster.wait(job.id) { $0.status == .running }
                    try await proxy.cut()
                    let during = try await cluster.insert("sleep 1")
                    // The pod ends, and nobody hears of it; longer than a pod may be missed.
                    try await Task.sleep(for: .seconds(6))
                    let (one, two) = (try await cluster.store.job(job.id), try await cluster.store.job(during.id))
                    #expect(one?.status == .running)
                    #expect(two?.status == .pending)
                    try await proxy.restore()
                    #expect(try await cluster.wait(job.id, \.isFinished).status == .succeeded)
                    #expect(try await cluster.wait(during.id, \.isFinished).status == .succeeded)
                }
            }
        }
    }
}
