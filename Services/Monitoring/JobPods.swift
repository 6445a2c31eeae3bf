import Kubernetes
import PlatformModel

/// The pods of one job: one an attempt, found by label, oldest first.
struct JobPods: Sendable {
    /// On every pod of a job, with the job's id.
    static let label = "platform.apolo.us/job"

    let kubernetes: KubernetesClient
    let job: String
    let namespace: String

    init(_ kubernetes: KubernetesClient, _ job: JobResponse) {
        self.kubernetes = kubernetes
        self.job = job.id.text
        namespace = job.namespace
    }

    func all() async throws -> [Pod] {
        let found = try await kubernetes.list(.pods, in: namespace, labels: [Self.label: job])
        return found.items.sorted { order($0) < order($1) }
    }

    /// Creation times have seconds; attempts made within one are told apart by their names' numbers.
    private func order(_ pod: Pod) -> (Double, Int, String) {
        let name = pod.metadata.name ?? ""
        return (pod.metadata.creationTimestamp?.timeIntervalSince1970 ?? 0, name.utf8.count, name)
    }

    /// The pod as it is now; nil when it is gone or another has its name.
    func reread(_ pod: Pod) async throws -> Pod? {
        guard let now = try await kubernetes.find(.pods, pod.metadata.name ?? "", in: namespace) else { return nil }
        return now.metadata.uid == pod.metadata.uid ? now : nil
    }

    /// The pod whose container runs now.
    /// - Returns: nil when there is none.
    func running() async throws -> Pod? {
        try await all().last { $0.status?.phase == "Running" && $0.status?.containerStatuses?.first?.isRunning == true }
    }

    func place(of pod: Pod) -> PodPlace {
        PodPlace(
            name: pod.metadata.name ?? job, namespace: namespace, container: pod.spec?.containers.first?.name ?? job)
    }
}
