import Foundation
import Kubernetes

/// A pod's status as a kubelet writes it. Pure.
struct PodStatusBuilder: Sendable {
    let pod: PodTemplate
    let initial: [ContainerSituation]
    let main: [ContainerSituation]
    /// Why containers wait, by name; a container that ended and waits to run again shows this and its end as the last state.
    var waiting: [String: ContainerRefusal] = [:]
    /// Containers that run and do not answer their readiness probe.
    var unready: Set<String> = []
    var hostIP: String?
    var podIP: String?
    /// The end of the pod for another reason than its containers.
    var verdict: (reason: String, message: String)?
    let now: Date

    /// The status with what others have written into it.
    func status() -> JSONValue {
        var status = pod.status
        let phase = phase
        status["phase"] = .string(phase)
        if let verdict {
            status["reason"] = .string(verdict.reason)
            status["message"] = .string(verdict.message)
        } else if !pod.isFinished {
            status["reason"] = nil
            status["message"] = nil
        }
        if pod.startTime == nil { status["startTime"] = .string(KubernetesTime.format(now)) }
        status["qosClass"] = .string(PodResourceAmounts(pod: pod).qualityOfService)
        if let hostIP, !hostIP.isEmpty {
            status["hostIP"] = .string(hostIP)
            status["hostIPs"] = [["ip": .string(hostIP)]]
        }
        if let podIP, !podIP.isEmpty {
            status["podIP"] = .string(podIP)
            status["podIPs"] = [["ip": .string(podIP)]]
        }
        status["containerStatuses"] = .array(main.map { entry($0, isInit: false) })
        if !initial.isEmpty { status["initContainerStatuses"] = .array(initial.map { entry($0, isInit: true) }) }
        status["conditions"] = .array(conditions(phase))
        return status
    }

    /// The state that is shown, and the last one.
    private func shown(_ situation: ContainerSituation, isInit: Bool) -> (state: RunState, last: RunEnd?) {
        let policy = isInit && pod.restartPolicy == .always ? RestartPolicy.onFailure : pod.restartPolicy
        guard let refusal = waiting[situation.name], pod.object.deletionTimestamp == nil, verdict == nil else {
            return (situation.state, situation.last)
        }
        switch situation.state {
        case .running: return (situation.state, situation.last)
        case .waiting: return (.waiting(reason: refusal.reason, message: refusal.message), situation.last)
        case .terminated(let end):
            guard policy.restarts(after: end.exitCode) else { return (situation.state, situation.last) }
            return (.waiting(reason: refusal.reason, message: refusal.message), end)
        }
    }

    private func isReady(_ situation: ContainerSituation) -> Bool { situation.state.isRunning && !unready.contains(situation.name) }

    private func entry(_ situation: ContainerSituation, isInit: Bool) -> JSONValue {
        let (state, last) = shown(situation, isInit: isInit)
        var entry: JSONValue = [
            "name": .string(situation.name), "image": .string(situation.image), "imageID": .string(situation.imageID),
            "restartCount": .integer(Int64(situation.restartCount)), "state": state.json, "lastState": .object([:]),
            "ready": .bool(isInit ? situation.state.end?.exitCode == 0 : isReady(situation)), "started": .bool(state.isRunning),
        ]
        if let last { entry["lastState"] = ["terminated": last.json] }
        if let id = situation.id { entry["containerID"] = .string("podman://\(id)") }
        return entry
    }

    var phase: String {
        if pod.isFinished { return pod.phase }
        if verdict != nil { return "Failed" }
        let policy = pod.restartPolicy
        let hasBegun = main.contains { !$0.isNew }
        if !hasBegun {
            for situation in initial {
                guard let end = situation.state.end else { return "Pending" }
                if end.exitCode != 0 { return policy == .never ? "Failed" : "Pending" }
            }
        }
        var (running, stopped, succeeded) = (0, 0, 0)
        for situation in main {
            switch situation.state {
            case .running: running += 1
            case .waiting: if situation.last == nil { return "Pending" } else { stopped += 1 }
            case .terminated(let end):
                stopped += 1
                if end.exitCode == 0 { succeeded += 1 }
            }
        }
        if running > 0 { return "Running" }
        if stopped == 0 { return "Pending" }
        if policy == .always { return "Running" }
        if succeeded == stopped { return "Succeeded" }
        return policy == .never ? "Failed" : "Running"
    }

    private func conditions(_ phase: String) -> [JSONValue] {
        let isOver = phase == "Succeeded" || phase == "Failed"
        let over = phase == "Succeeded" ? "PodCompleted" : "PodFailed"
        let incomplete = initial.filter { $0.state.end?.exitCode != 0 }.map(\.name)
        let hasBegun = main.contains { !$0.isNew }
        let unreadyNames = main.filter { !isReady($0) }.map(\.name)
        var wanted: [(type: String, isTrue: Bool, reason: String?, message: String?)] = []
        if phase == "Succeeded" {
            wanted.append(("Initialized", true, "PodCompleted", nil))
        } else if incomplete.isEmpty || hasBegun {
            wanted.append(("Initialized", true, nil, nil))
        } else {
            wanted.append(
                (
                    "Initialized", false, "ContainersNotInitialized",
                    "containers with incomplete status: [\(incomplete.joined(separator: " "))]"
                ))
        }
        for type in ["Ready", "ContainersReady"] {
            if isOver {
                wanted.append((type, false, over, nil))
            } else if unreadyNames.isEmpty {
                wanted.append((type, true, nil, nil))
            } else {
                let message = "containers with unready status: [\(unreadyNames.joined(separator: " "))]"
                wanted.append((type, false, "ContainersNotReady", message))
            }
        }
        wanted.append(("PodScheduled", true, nil, nil))
        return Self.merge(wanted, into: pod.status["conditions"]?.array ?? [], now: now)
    }

    /// Sets conditions and leaves those of others alone; the time of a condition moves with its status.
    static func merge(
        _ wanted: [(type: String, isTrue: Bool, reason: String?, message: String?)], into conditions: [JSONValue], now: Date
    ) -> [JSONValue] {
        var conditions = conditions
        for condition in wanted {
            let place = conditions.firstIndex { $0["type"]?.string == condition.type }
            let status = condition.isTrue ? "True" : "False"
            let before = place.map { conditions[$0] }
            var value: JSONValue = ["type": .string(condition.type), "status": .string(status), "lastProbeTime": .null]
            if let reason = condition.reason { value["reason"] = .string(reason) }
            if let message = condition.message { value["message"] = .string(message) }
            let isSame = before?["status"]?.string == status
            value["lastTransitionTime"] = isSame ? before?["lastTransitionTime"] : nil
            if value["lastTransitionTime"] == nil { value["lastTransitionTime"] = .string(KubernetesTime.format(now)) }
            if let place { conditions[place] = value } else { conditions.append(value) }
        }
        return conditions
    }
}
