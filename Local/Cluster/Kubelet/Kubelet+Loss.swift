import Kubernetes

extension Kubelet: NodeAgent {
    /// Loses a pod, or its containers, for tests of what others make of it.
    nonisolated func lose(_ pod: Object, how: PodLoss) async throws {
        switch how {
        case .object: try await context.store.remove(ObjectKey(.pods, pod), uid: pod.uid)
        case .containers:
            try await workers[pod.uid]?.loseContainers()
        }
    }
}
