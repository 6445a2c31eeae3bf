import Foundation
import Kubernetes

/// Gives pods without a node this one, if it has room. Kept by the kubelet, which calls it whenever something has changed.
struct PodScheduler: Sendable {
    let context: KubeletContext
    /// What was last said of a pod that does not fit, and when.
    private var refusals: [String: (message: String, told: Date)] = [:]

    init(context: KubeletContext) { self.context = context }

    /// - Parameter pods: all pods of the cluster.
    /// - Returns: the pods that got the node.
    mutating func pass(pods: [Object], node: Object, now: Date = Date()) async -> [Object] {
        let templates = pods.map(PodTemplate.init)
        let waiting = templates.filter { $0.nodeName == nil && $0.object.deletionTimestamp == nil && !$0.isFinished && isOurs($0) }
        refusals = refusals.filter { entry in waiting.contains { $0.uid == entry.key } }
        guard !waiting.isEmpty else { return [] }
        var used: [String: Int64] = [:]
        var ports: Set<String> = []
        var count = 0
        for pod in templates where pod.nodeName == context.nodeName && !pod.isFinished {
            used.merge(PodResourceAmounts(pod: pod).requests) { $0 + $1 }
            ports.formUnion(SchedulingFit.hostPorts(pod))
            count += 1
        }
        var bound: [Object] = []
        for pod in waiting.sorted(by: Self.comesFirst) {
            do {
                let fit = SchedulingFit(node: node, used: used, podCount: count, ports: ports)
                if let message = try await claimRefusal(pod) ?? fit.refusal(pod) {
                    try await refuse(pod, message, now: now)
                    continue
                }
                guard let object = try await bind(pod, now: now) else { continue }
                bound.append(object)
                used.merge(PodResourceAmounts(pod: pod).requests) { $0 + $1 }
                ports.formUnion(SchedulingFit.hostPorts(pod))
                count += 1
            } catch let error as StatusError where error.code == 404 {
                continue
            } catch {
                context.logger.warning("a pod could not be scheduled", metadata: ["pod": "\(pod.key)", "error": "\(error)"])
            }
        }
        return bound
    }

    private func isOurs(_ pod: PodTemplate) -> Bool {
        let scheduler = pod.spec["schedulerName"]?.string ?? ""
        return (scheduler.isEmpty || scheduler == "default-scheduler") && (pod.spec["schedulingGates"]?.array ?? []).isEmpty
    }

    private static func comesFirst(_ left: PodTemplate, _ right: PodTemplate) -> Bool {
        let priorities = (left.spec["priority"]?.integer ?? 0, right.spec["priority"]?.integer ?? 0)
        if priorities.0 != priorities.1 { return priorities.0 > priorities.1 }
        let times = (left.object.creationTimestamp ?? .distantPast, right.object.creationTimestamp ?? .distantPast)
        return times.0 != times.1 ? times.0 < times.1 : left.name < right.name
    }

    private func claimRefusal(_ pod: PodTemplate) async throws -> String? {
        for name in pod.references(to: .persistentVolumeClaims).sorted() {
            let claim = try await context.store.get(ObjectKey(.persistentVolumeClaims, namespace: pod.namespace, name: name))
            guard let claim else { return "0/1 nodes are available: 1 persistentvolumeclaim \"\(name)\" not found." }
            if claim.deletionTimestamp != nil {
                return "0/1 nodes are available: 1 persistentvolumeclaim \"\(name)\" is being deleted."
            }
            if claim[path: "spec", "volumeName"]?.string?.isEmpty ?? true || claim[path: "status", "phase"]?.string != "Bound" {
                return "0/1 nodes are available: 1 pod has unbound immediate PersistentVolumeClaims."
            }
        }
        return nil
    }

    private func bind(_ pod: PodTemplate, now: Date) async throws -> Object? {
        let node = context.nodeName
        let object = try await context.store.update(pod.key, uid: pod.uid) { object in
            guard object.deletionTimestamp == nil, object[path: "spec", "nodeName"]?.string ?? "" == "" else { return }
            object[path: "spec", "nodeName"] = .string(node)
            let conditions = object[path: "status", "conditions"]?.array ?? []
            object[path: "status", "conditions"] = .array(
                PodStatusBuilder.merge([("PodScheduled", true, nil, nil)], into: conditions, now: now))
        }
        guard object[path: "spec", "nodeName"]?.string == node else { return nil }
        context.recorder.record(
            object, "Scheduled", "Successfully assigned \(pod.namespace)/\(pod.name) to \(node)", component: "default-scheduler")
        return object
    }

    private mutating func refuse(_ pod: PodTemplate, _ message: String, now: Date) async throws {
        let object = try await context.store.update(pod.key, uid: pod.uid) { object in
            guard object[path: "spec", "nodeName"]?.string ?? "" == "" else { return }
            let conditions = object[path: "status", "conditions"]?.array ?? []
            object[path: "status", "conditions"] = .array(
                PodStatusBuilder.merge([("PodScheduled", false, "Unschedulable", message)], into: conditions, now: now))
            if object[path: "status", "phase"] == nil { object[path: "status", "phase"] = "Pending" }
        }
        // Said again when it is another reason, and now and then when it is not.
        if let before = refusals[pod.uid], before.message == message, now.timeIntervalSince(before.told) < 60 { return }
        refusals[pod.uid] = (message, now)
        context.recorder.record(object, type: "Warning", "FailedScheduling", message, component: "default-scheduler")
    }
}
