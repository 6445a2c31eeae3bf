import Kubernetes

extension ObjectAPI {
    /// Gives a pod its node.
    /// - Throws: ``StatusError`` 404, 409 when it has one.
    func bind(_ key: ObjectKey, to node: String) async throws {
        guard !node.isEmpty else {
            throw StatusError.invalid(key.kind, key.name, [.required("target.name")])
        }
        let now = KubernetesTime.format(clock())
        try await store.update(key) { pod in
            if pod.deletionTimestamp != nil {
                throw StatusError.conflict(key, "pod \(key.name) is being deleted, cannot be assigned to a host")
            }
            if let present = pod[path: "spec", "nodeName"]?.string, !present.isEmpty {
                throw StatusError.conflict(key, "pod \(key.name) is already assigned to node \"\(present)\"")
            }
            pod[path: "spec", "nodeName"] = .string(node)
            var conditions = (pod[path: "status", "conditions"]?.array ?? []).filter { $0["type"] != "PodScheduled" }
            conditions.append(["type": "PodScheduled", "status": "True", "lastProbeTime": nil, "lastTransitionTime": .string(now)])
            pod[path: "status", "conditions"] = .array(conditions)
        }
    }
}
