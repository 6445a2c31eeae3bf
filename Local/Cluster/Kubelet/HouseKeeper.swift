import Foundation
import Kubernetes

/// Keeps what is over from filling the machine.
struct HouseKeeper: Sendable {
    let context: KubeletContext
    /// Pods that are over keep their containers, newest first, up to this many.
    static let deadPods = 50
    /// Parts of the file system in use, from which images are removed, and down to which.
    static let high = 0.85
    static let low = 0.80

    /// Logs and states stay; only the containers' layers go.
    func removeDeadContainers(of pods: [PodTemplate]) async throws {
        let over = pods.filter { $0.isFinished && $0.nodeName == context.nodeName }
            .sorted { Self.end($0) > Self.end($1) }.dropFirst(Self.deadPods)
        for pod in over {
            let found = try await context.podman.containers(labelled: ["\(ContainerSpecification.Label.uid)=\(pod.uid)"])
            // What still ends is left for the next time, with what it hangs on.
            if found.allSatisfy({ $0.state != "running" }) { try await context.podman.removeContainers(found) }
        }
    }

    private static func end(_ pod: PodTemplate) -> String {
        (pod.status["containerStatuses"]?.array ?? [])
            .compactMap { $0[path: "state", "terminated", "finishedAt"]?.string }.max() ?? ""
    }

    /// Removes the oldest images that no container uses once the disk fills.
    func removeImages() async throws {
        let size = context.machine.disk
        var free = NodeKeeper.availableDisk(context.clusterFolder)
        guard size > 0, Double(size - free) / Double(size) > Self.high else { return }
        for image in try await context.podman.images().sorted(by: { $0.created < $1.created }) where image.containers == 0 {
            try await context.podman.removeImage(image.id)
            free = NodeKeeper.availableDisk(context.clusterFolder)
            if Double(size - free) / Double(size) < Self.low { return }
        }
    }
}
