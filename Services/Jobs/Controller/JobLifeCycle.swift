import Foundation
import Kubernetes
import PlatformModel

/// What the controller knows of one job at one moment.
struct JobSituation: Sendable {
    enum Sighting: Sendable {
        case present(Pod)
        /// Nobody has it, and for so many seconds already.
        case absent(seconds: Double)
    }

    var job: JobRecord
    /// The pod of the current attempt.
    var pod: Sighting
    /// Events about that pod.
    var events: [KubernetesEvent] = []
    /// Pods of the job under other names, or left over after it left the cluster.
    var strays: [Pod] = []
    /// Clock of the cluster.
    var now: Date
    /// Clock of the history.
    var databaseNow: UTCTime
}

/// What has to be done for a job, in this order.
struct JobDecision: Hashable, Sendable {
    enum Step: Hashable, Sendable {
        /// Make its objects, those that are missing.
        case start
        /// Write down.
        case record([JobEvent])
        case deletePod(name: String, uid: String, force: Bool)
        /// Remove all that was made for it, then note that it left.
        case leave
    }

    var steps: [Step] = []
    /// Look again after so many seconds, although nothing may have been announced.
    var recheckAfter: Double?
}

/// The life of a job in its cluster as a pure function: the situation in, what to do out. It is asked again after every change, so each
/// answer may be carried out in part, or twice, or by another process (jobs-orchestration.md 5, 7.4, 9).
struct JobLifeCycle: Sendable {
    var schedule: PodStatusReading.Schedule
    /// Seconds.
    var imagePullDelay: Double
    var deletionDelay: Double
    /// How long a pod must be missed before it counts as gone.
    var absenceLimit = 4.5

    func decide(_ situation: JobSituation) -> JobDecision {
        var decision = situation.job.isFinished ? ended(situation) : active(situation)
        let strays = situation.strays.compactMap { pod -> JobDecision.Step? in
            guard pod.metadata.deletionTimestamp == nil, let name = pod.metadata.name, let uid = pod.metadata.uid else { return nil }
            return .deletePod(name: name, uid: uid, force: false)
        }
        decision.steps.insert(contentsOf: strays, at: 0)
        return decision
    }

    // MARK: Ended

    private func ended(_ situation: JobSituation) -> JobDecision {
        let job = situation.job
        guard job.materialized else {
            // Left the cluster, but somebody who was slow made its pod once more.
            guard case .present(let pod) = situation.pod, pod.metadata.deletionTimestamp == nil else { return JobDecision() }
            return JobDecision(steps: [.leave])
        }
        if job.status == .cancelled || Self.leavesAtOnce.contains(job.history.current.reason ?? "") { return JobDecision(steps: [.leave]) }
        let age = job.history.finishedAt.map { situation.databaseNow.seconds(since: $0) } ?? .infinity
        return age >= deletionDelay ? JobDecision(steps: [.leave]) : JobDecision(recheckAfter: deletionDelay - age)
    }

    private static let leavesAtOnce: Set<String> = [
        JobStatusReason.collected, JobStatusReason.clusterScaleUpFailed, JobStatusReason.notFound,
    ]

    // MARK: Active

    private func active(_ situation: JobSituation) -> JobDecision {
        let job = situation.job
        guard job.materialized else { return JobDecision(steps: [.start]) }
        switch situation.pod {
        case .absent(let seconds):
            // Said to exist before it was made: whoever said so did not get to it.
            guard job.hasStarted else { return JobDecision(steps: [.start]) }
            guard seconds >= absenceLimit else { return JobDecision(recheckAfter: 0.5) }
            if job.spec.isRestartable { return JobDecision(steps: [.record([.restarted])]) }
            let lost = JobStatusReport(
                .failed, reason: JobStatusReason.notFound, description: "The job could not be scheduled or was preempted.")
            return JobDecision(steps: [.record([.reported(lost)])])
        case .present(let pod):
            guard job.hasStarted else { return JobDecision(steps: [.start]) }
            let reading = PodStatusReading(pod: pod, events: situation.events)
            if reading.isNodeLost && job.spec.isRestartable, let name = pod.metadata.name, let uid = pod.metadata.uid {
                return JobDecision(steps: [.deletePod(name: name, uid: uid, force: true), .record([.restarted])])
            }
            return observed(reading, situation)
        }
    }

    private func observed(_ reading: PodStatusReading, _ situation: JobSituation) -> JobDecision {
        let (report, recheck) = reading.report(schedule, now: situation.now)
        var decision = JobDecision(recheckAfter: recheck)
        var events: [JobEvent] = report == situation.job.history.current.report ? [] : [.reported(report)]
        if report.status == .pending {
            switch collection(report, situation) {
            case .now(let failure): events.append(.reported(failure))
            case .later(let seconds): decision.recheckAfter = min(seconds, recheck ?? .infinity)
            case .no: break
            }
        }
        if !events.isEmpty { decision.steps = [.record(events)] }
        return decision
    }

    private enum Collection {
        case no
        case later(Double)
        case now(JobStatusReport)
    }

    /// Whether the image is given up. Only what happened since the job last ran counts: an old trouble is no reason to end a restarted job.
    private func collection(_ report: JobStatusReport, _ situation: JobSituation) -> Collection {
        let image = situation.job.spec.container.image
        func failure(_ text: String) -> JobStatusReport { JobStatusReport(.failed, reason: JobStatusReason.collected, description: text) }
        if report.reason == JobStatusReason.invalidImageName { return .now(failure("Invalid image name '\(image)'")) }
        let troubles: Set<String> = [JobStatusReason.errImagePull, JobStatusReason.imagePullBackOff]
        let waiting = situation.job.history.items.reversed().prefix { $0.status == .pending }
        let first = waiting.last { $0.reason.map(troubles.contains) ?? false }?.transitionTime
        guard let since = first ?? (report.reason.map(troubles.contains) == true ? situation.databaseNow : nil) else { return .no }
        let age = situation.databaseNow.seconds(since: since)
        if age > imagePullDelay || imagePullDelay == 0 { return .now(failure("Image '\(image)' can not be pulled")) }
        return .later(imagePullDelay - age + 0.01)
    }
}

extension JobRecord {
    /// Note that all objects of an attempt were made.
    static let startedNote = "started"

    /// Whether all objects of the current attempt were made.
    var hasStarted: Bool { notes[Self.startedNote] == String(attempt) }
}
