import Foundation
import Kubernetes
import PlatformModel

/// What a pod says of its job (jobs-orchestration.md 5.1 to 5.3). Pure.
struct PodStatusReading: Sendable {
    let pod: Pod
    /// Events about this pod, in any order.
    var events: [KubernetesEvent] = []

    private var phase: String { pod.status?.phase ?? "" }
    private var container: ContainerStatus? { pod.status?.containerStatuses?.first }
    private var containerReason: String? {
        if let terminated = container?.terminated { return terminated.reason.nonEmpty }
        return container?.isRunning == true ? nil : container?.state?.waiting?.reason.nonEmpty
    }

    /// The node is gone and the pod with it.
    var isNodeLost: Bool { (pod.status?.reason.nonEmpty ?? containerReason) == "NodeLost" }

    var isScheduled: Bool {
        phase != "Pending" || pod.status?.conditions?.contains { $0.type == "PodScheduled" && $0.status == "True" } == true
    }

    /// What the pod alone says.
    var basic: JobStatusReport {
        let terminated = container?.terminated
        switch phase {
        case "Succeeded": return JobStatusReport(.succeeded, exitCode: terminated?.exitCode)
        case "Failed", "Unknown":
            let failed = (terminated?.exitCode ?? 0) != 0
            return JobStatusReport(
                .failed, reason: containerReason, description: failed ? terminated?.message : nil, exitCode: terminated?.exitCode)
        case "Running":
            return JobStatusReport(.running, reason: container?.isRunning == true ? nil : JobStatusReason.restarting)
        default: return JobStatusReport(.pending, reason: containerReason)
        }
    }

    struct Schedule: Sendable {
        /// Seconds a pod may wait for a node, and seconds more while the cluster grows.
        var timeout: Double
        var scaleUpTimeout: Double
        /// Jobs of the scheduler wait for ever.
        var waitsForever = false
    }

    /// The report, and after how many seconds it may read otherwise without anything having happened.
    func report(_ schedule: Schedule, now: Date) -> (report: JobStatusReport, recheckAfter: Double?) {
        guard phase == "Pending" else { return (basic, nil) }
        return isScheduled ? (scheduled, nil) : waiting(schedule, now: now)
    }

    private var scheduled: JobStatusReport {
        // Times are whole seconds: of two at once the one told later is the later one.
        let latest = events.reduce(events.first) { latest, event in event.time >= (latest?.time ?? .distantPast) ? event : latest }
        switch latest?.reason {
        case "Pulling":
            return JobStatusReport(.pending, reason: JobStatusReason.pulling, description: latest?.message)
        case "FailedAttachVolume":
            return JobStatusReport(
                .pending, reason: JobStatusReason.diskUnavailable, description: "Waiting for another job to release disk resource")
        default: return basic
        }
    }

    private func waiting(_ schedule: Schedule, now: Date) -> (JobStatusReport, Double?) {
        if schedule.waitsForever { return (basic, nil) }
        if let scaleUp = events.filter({ $0.reason == "TriggeredScaleUp" }).map(\.time).max() {
            let left = schedule.scaleUpTimeout + schedule.timeout - now.timeIntervalSince(scaleUp)
            if left > 0 {
                let report = JobStatusReport(
                    .pending, reason: JobStatusReason.clusterScalingUp, description: "Scaling up the cluster to get more resources")
                return (report, left)
            }
        }
        let left = schedule.timeout - now.timeIntervalSince(pod.metadata.creationTimestamp ?? now)
        if left > 0 {
            var report = basic
            report.reason = report.reason ?? JobStatusReason.scheduling
            return (report, left)
        }
        let report = JobStatusReport(
            .failed, reason: JobStatusReason.clusterScaleUpFailed, description: "Failed to scale up the cluster to get more resources")
        return (report, nil)
    }
}

extension KubernetesEvent {
    /// When it was last seen: newer reporters fill other fields than older ones.
    var time: Date { lastTimestamp ?? eventTime ?? firstTimestamp ?? metadata.creationTimestamp ?? .distantPast }
}

extension Optional<String> {
    fileprivate var nonEmpty: String? { self?.isEmpty == false ? self : nil }
}
