import Foundation
import Kubernetes

/// The columns of pods, whose state is a word made of many fields.
enum PodColumns {
    static let all: [Table.Column] = [
        TableColumns.name,
        Table.Column(name: "Ready") { pod in
            let statuses = pod[path: "status", "containerStatuses"]?.array ?? []
            return .string("\(statuses.filter { $0["ready"]?.bool == true }.count)/\(pod[path: "spec", "containers"]?.array?.count ?? 0)")
        },
        Table.Column(name: "Status") { .string(state(of: $0)) },
        Table.Column(name: "Restarts") { pod in
            let statuses = pod[path: "status", "containerStatuses"]?.array ?? []
            let count = statuses.reduce(0) { $0 + ($1["restartCount"]?.integer ?? 0) }
            let last = statuses.compactMap { $0["lastState"]?["terminated"]?["finishedAt"]?.string }.max()
            guard count > 0, let last, let age = Table.since(.string(last)).string else { return .string(String(count)) }
            return .string("\(count) (\(age) ago)")
        },
        TableColumns.age, TableColumns.text("IP", "status", "podIP", isWide: true, absent: "<none>"),
        TableColumns.text("Node", "spec", "nodeName", isWide: true, absent: "<none>"),
        TableColumns.text("Nominated Node", "status", "nominatedNodeName", isWide: true, absent: "<none>"),
        Table.Column(name: "Readiness Gates", isWide: true) { _ in "<none>" },
    ]

    /// What `kubectl get pods` says of a pod.
    static func state(of pod: Object) -> String {
        let status = pod["status"] ?? .null
        var word = status["phase"]?.string ?? "Unknown"
        if let reason = status["reason"]?.string, !reason.isEmpty { word = reason }
        let initial = status["initContainerStatuses"]?.array ?? []
        let total = pod[path: "spec", "initContainers"]?.array?.count ?? 0
        if let waiting = initializing(initial, total: total) {
            word = waiting
        } else {
            var isRunning = false
            for container in (status["containerStatuses"]?.array ?? []).reversed() {
                let state = container["state"] ?? .null
                if let reason = state["waiting"]?["reason"]?.string, !reason.isEmpty {
                    word = reason
                } else if let end = state["terminated"] {
                    word = ended(end)
                } else if container["ready"]?.bool == true, state["running"] != nil {
                    isRunning = true
                }
            }
            if word == "Completed", isRunning { word = "Running" }
        }
        guard pod.deletionTimestamp != nil, !["Succeeded", "Failed"].contains(status["phase"]?.string) else { return word }
        return status["reason"]?.string == "NodeLost" ? "Unknown" : "Terminating"
    }

    private static func initializing(_ statuses: [JSONValue], total: Int) -> String? {
        for (index, container) in statuses.enumerated() {
            let state = container["state"] ?? .null
            if let end = state["terminated"] {
                if end["exitCode"]?.integer == 0 { continue }
                return "Init:" + ended(end)
            }
            if let reason = state["waiting"]?["reason"]?.string, !reason.isEmpty, reason != "PodInitializing" { return "Init:" + reason }
            return "Init:\(index)/\(total)"
        }
        return nil
    }

    private static func ended(_ end: JSONValue) -> String {
        if let reason = end["reason"]?.string, !reason.isEmpty { return reason }
        if let signal = end["signal"]?.integer, signal != 0 { return "Signal:\(signal)" }
        return "ExitCode:\(end["exitCode"]?.integer ?? 0)"
    }
}
