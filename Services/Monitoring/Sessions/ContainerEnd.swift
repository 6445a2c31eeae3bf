import Kubernetes

/// Waits for what the cluster says of a container whose streams have ended.
///
/// The streams end with the process; the pod's status follows up to a second later. A client that attaches again in between must be refused,
/// or it takes the end for a lost connection: so an attached session is closed only once the status says that the container has ended.
struct ContainerEnd: Sendable {
    let pods: JobPods
    let pod: Pod
    /// Longer than the kubelet's own interval of a second; past it the session is closed anyhow.
    var patience: Duration = .seconds(5)

    /// The exit code; nil when it is not known in time, or the container runs on and only the connection was lost.
    func exitCode() async throws -> Int? {
        let begun = ContinuousClock.now
        while ContinuousClock.now - begun < patience {
            if let now = try? await pods.reread(pod) {
                let container = now.status?.containerStatuses?.first
                if container?.isRunning != true { return container?.state?.terminated?.exitCode }
            } else if (try? await pods.running()) == nil {
                return nil
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        return nil
    }
}
