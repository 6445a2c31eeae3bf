import Foundation
import Kubernetes

/// Whether a pod may run on the node, in the scheduler's words. Pure.
struct SchedulingFit: Sendable {
    let node: Object
    /// What the pods of the node ask for already, in thousandths.
    let used: [String: Int64]
    let podCount: Int
    /// Host ports in use, `TCP/8080`.
    var ports: Set<String> = []

    /// - Returns: nil when it fits, else why not.
    func refusal(_ pod: PodTemplate) -> String? {
        var reasons: [String] = []
        if node[path: "spec", "unschedulable"]?.bool == true, !tolerates(pod, "node.kubernetes.io/unschedulable", nil, "NoSchedule") {
            reasons.append("node(s) were unschedulable")
        }
        if !matchesSelectors(pod) { reasons.append("node(s) didn't match Pod's node affinity/selector") }
        if let taint = untolerated(pod) {
            reasons.append("node(s) had untolerated taint {\(taint["key"]?.string ?? ""): \(taint["value"]?.string ?? "")}")
        }
        // A node that is no candidate is not asked for room.
        if reasons.isEmpty {
            if !ports.isDisjoint(with: Self.hostPorts(pod)) { reasons.append("node(s) didn't have free ports for the requested pod ports") }
            reasons += shortages(pod)
        }
        guard !reasons.isEmpty else { return nil }
        return "0/1 nodes are available: " + reasons.map { "1 \($0)" }.joined(separator: ", ") + "."
    }

    private func shortages(_ pod: PodTemplate) -> [String] {
        var reasons: [String] = []
        let allocatable = node[path: "status", "allocatable"]?.object ?? [:]
        func amount(_ name: String) -> Int64 { allocatable[name]?.string.flatMap { Quantity($0).milliValue } ?? 0 }
        if podCount + 1 > amount("pods") / 1000 { reasons.append("Too many pods") }
        let wanted = PodResourceAmounts(pod: pod).requests
        let order = ["cpu", "memory", "ephemeral-storage"]
        for name in order + wanted.keys.filter({ !order.contains($0) }).sorted() {
            guard let request = wanted[name], request > 0, used[name, default: 0] + request > amount(name) else { continue }
            reasons.append("Insufficient \(name)")
        }
        return reasons
    }

    private func matchesSelectors(_ pod: PodTemplate) -> Bool {
        let labels = node.labels
        for (key, value) in pod.spec["nodeSelector"]?.object ?? [:] where labels[key] != value.string { return false }
        guard let affinity = pod.spec[path: "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"],
            let terms = affinity["nodeSelectorTerms"]?.array
        else { return true }
        return terms.contains { term in
            let expressions = term["matchExpressions"]?.array ?? []
            let fields = term["matchFields"]?.array ?? []
            // A term without any requirement matches nothing.
            guard !expressions.isEmpty || !fields.isEmpty else { return false }
            return expressions.allSatisfy { Self.holds($0, labels) } && fields.allSatisfy { Self.holds($0, ["metadata.name": node.name]) }
        }
    }

    private static func holds(_ requirement: JSONValue, _ labels: [String: String]) -> Bool {
        let value = labels[requirement["key"]?.string ?? ""]
        let values = (requirement["values"]?.array ?? []).compactMap(\.string)
        switch requirement["operator"]?.string {
        case "In": return value.map { values.contains($0) } ?? false
        case "NotIn": return value.map { !values.contains($0) } ?? true
        case "Exists": return value != nil
        case "DoesNotExist": return value == nil
        case "Gt", "Lt":
            guard let number = value.flatMap({ Int64($0) }), let bound = values.first.flatMap({ Int64($0) }) else { return false }
            return requirement["operator"]?.string == "Gt" ? number > bound : number < bound
        default: return false
        }
    }

    private func untolerated(_ pod: PodTemplate) -> JSONValue? {
        (node[path: "spec", "taints"]?.array ?? []).first { taint in
            let effect = taint["effect"]?.string ?? ""
            guard effect == "NoSchedule" || effect == "NoExecute" else { return false }
            return !tolerates(pod, taint["key"]?.string ?? "", taint["value"]?.string, effect)
        }
    }

    private func tolerates(_ pod: PodTemplate, _ key: String, _ value: String?, _ effect: String) -> Bool {
        (pod.spec["tolerations"]?.array ?? []).contains { toleration in
            let wantedEffect = toleration["effect"]?.string ?? ""
            guard wantedEffect.isEmpty || wantedEffect == effect else { return false }
            let wantedKey = toleration["key"]?.string ?? ""
            if toleration["operator"]?.string == "Exists" { return wantedKey.isEmpty || wantedKey == key }
            return wantedKey == key && (toleration["value"]?.string ?? "") == (value ?? "")
        }
    }

    static func hostPorts(_ pod: PodTemplate) -> Set<String> {
        var ports: Set<String> = []
        for port in pod.containers.flatMap({ $0.value["ports"]?.array ?? [] }) {
            guard let number = port["hostPort"]?.integer, number > 0 else { continue }
            ports.insert("\(port["protocol"]?.string ?? "TCP")/\(number)")
        }
        return ports
    }
}
