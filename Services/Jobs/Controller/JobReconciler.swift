import Foundation
import Kubernetes
import Logging
import PlatformModel
import Synchronization

/// Brings one job and its cluster together: looks, decides (`JobLifeCycle`), carries out. Each change of the record is conditioned on the
/// lease; each change of the cluster is asked of it before.
struct JobReconciler: Sendable {
    let store: JobStore
    let effects: JobEffects
    let objects: JobObjects
    let book: PodBook
    let leadership: Leadership
    let cluster: @Sendable () -> ClusterDocument
    let settings: ControllerSettings
    let gate: QuotaGate
    /// Namespaces that this process has seen to.
    let namespaces = NamespaceBook()
    let logger: Logger

    /// - Returns: when to look again although nothing was announced.
    func reconcile(_ id: JobID) async throws -> Duration? {
        guard let job = try await store.job(id), job.cluster == leadership.lease.cluster else { return nil }
        let decision = lifeCycle(job).decide(try await situation(job))
        if decision.steps.contains(.start), !job.materialized, try await !gate.admits(job) { return .seconds(2) }
        var current = job
        for step in decision.steps {
            try await carryOut(step, on: &current)
        }
        return decision.recheckAfter.map { .milliseconds(Int64(max(0.01, $0) * 1000)) }
    }

    private func lifeCycle(_ job: JobRecord) -> JobLifeCycle {
        let orchestrator = cluster().orchestrator
        let own = job.spec.scheduleTimeout ?? 0
        return JobLifeCycle(
            schedule: .init(
                timeout: own > 0 ? own : orchestrator.jobScheduleTimeout, scaleUpTimeout: orchestrator.jobScheduleScaleUpTimeout,
                waitsForever: job.spec.schedulerEnabled),
            imagePullDelay: settings.imagePullDelay / .seconds(1), deletionDelay: settings.deletionDelay / .seconds(1))
    }

    private func situation(_ job: JobRecord) async throws -> JobSituation {
        let name = job.currentAttempt.podName
        var pods = book.pods(of: job.id)
        var pod = pods.removeValue(forKey: name)
        // The watch may be late; before anything is concluded from absence the server itself is asked.
        let isExpected = !job.isFinished && job.materialized && job.hasStarted
        if pod == nil, isExpected {
            pod = try await objects.client.find(.pods, name, in: job.namespace)
            pod.map(book.note)
        }
        let sighting: JobSituation.Sighting
        if let pod {
            book.present(name)
            sighting = .present(pod)
        } else {
            sighting = .absent(seconds: isExpected ? book.absence(of: name) / .seconds(1) : 0)
        }
        return JobSituation(
            job: job, pod: sighting, events: pod.map(book.events) ?? [], strays: Array(pods.values), now: Date(),
            databaseNow: try await databaseNow(job))
    }

    /// The history's clock is asked only where an age matters.
    private func databaseNow(_ job: JobRecord) async throws -> UTCTime {
        if job.status == .running || !job.materialized { return .now }
        return try await store.now()
    }

    private func carryOut(_ step: JobDecision.Step, on job: inout JobRecord) async throws {
        switch step {
        case .record(let events): try await record(events, &job)
        case .deletePod(let name, let uid, let force): try await objects.removePod(name, uid: uid, force: force, of: job)
        case .leave:
            try await objects.remove(job)
            try await record([.materialized(false)], &job)
        case .start: try await start(&job)
        }
    }

    private func record(_ events: [JobEvent], _ job: inout JobRecord) async throws {
        try leadership.check()
        let change = try await store.apply(events, to: job.id, under: leadership.lease)
        await effects.carryOut(change)
        job = change.record
        if change.written, !change.effects.isEmpty {
            logger.info(
                "A job changed",
                metadata: ["job": "\(job.id)", "status": "\(job.status.rawValue)", "reason": "\(job.history.current.reason ?? "")"])
        }
    }

    /// Notes first that objects may exist, then makes them, then notes that they do: whoever comes after a crash in between finishes it.
    private func start(_ job: inout JobRecord) async throws {
        do {
            let document = cluster()
            let builder = PodBuilder(job: job, cluster: document, settings: settings)
            let pod = try builder.pod()
            try await objects.checkReferences(job)
            if !job.materialized { try await record([.materialized(true)], &job) }
            if job.isFinished { return }
            try await namespaces.ensure(job) { try await objects.ensureNamespace($0) }
            try await objects.ensurePullSecret(job, in: document)
            let standing = try await objects.ensurePod(pod, of: job)
            book.note(standing)
            let network = JobNetwork(job: job, cluster: document, settings: settings, labels: builder.labels)
            try await objects.ensureNetwork(network)
            let report = PodStatusReading(pod: standing).report(lifeCycle(job).schedule, now: Date()).report
            try await record([.noted(key: JobRecord.startedNote, value: String(job.attempt)), .reported(report)], &job)
        } catch let error as KubernetesError where error.isNotFound {
            // The namespace was removed by somebody: the next try makes it again.
            namespaces.forget(job.namespace)
            throw error
        } catch let refusal as JobStartRefusal {
            logger.notice("A job cannot be started", metadata: ["job": "\(job.id)", "reason": "\(refusal.reason)"])
            try await record([.reported(refusal.report)], &job)
            if job.materialized {
                try await objects.remove(job)
                try await record([.materialized(false)], &job)
            }
        }
    }
}

/// Namespaces that were ensured; remembered only once that succeeded. Bound: one entry a project of the cluster.
final class NamespaceBook: Sendable {
    private let names = Mutex<Set<String>>([])

    func ensure(_ job: JobRecord, _ make: (ProjectNamespace) async throws -> Void) async throws {
        let place = ProjectNamespace(job)
        if names.withLock({ $0.contains(place.name) }) { return }
        try await make(place)
        names.withLock { _ = $0.insert(place.name) }
    }

    func forget(_ name: String) { names.withLock { _ = $0.remove(name) } }
}

extension ProjectNamespace {
    init(_ job: JobRecord) { self.init(name: job.namespace, org: job.org, project: job.project) }
}
