import Kubernetes

extension Kubelet: NodeAgent {
    /// Loses a pod, or its containers, for tests of what others make of it.
    nonisolated func lose(_ pod: Object, how: PodLoss) async throws {
        switch how {
        case .object: try await context.store.remove(ObjectKey(.pods, pod), uid: pod.uid)
        case .containers:
            let found = try await context.podman.containers(labelled: ["\(ContainerSpecification.Label.uid)=\(pod.uid)"])
            // Those that hang on the network of another go first.
            for container in found where container.labels[ContainerSpecification.Label.holder] == nil {
                try await context.podman.removeContainer(container.id)
            }
            for container in found where container.labels[ContainerSpecification.Label.holder] != nil {
                try await context.podman.removeContainer(container.id)
            }
            await workers[pod.uid]?.wake()
        }
    }
}
