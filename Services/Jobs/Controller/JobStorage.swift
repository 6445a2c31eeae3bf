import Injection
import Kubernetes
import PlatformModel

/// The shared storage that a job mounts. Where the cluster's document says what lies under its storage, the volumes are put into the pod here;
/// elsewhere the storage service's admission webhook does it, and nothing may start before it is certain that it did (jobs-orchestration.md
/// 4.11).
struct JobStorage: Sendable {
    private let job: JobRecord
    private let volumes: [JobContainer.Volume]

    init(_ job: JobRecord) {
        self.job = job
        volumes = job.spec.container.volumes
    }

    /// What goes into the pod; nil when there is nothing to be mounted, or it is the webhook's to do.
    /// - Throws: `JobStartRefusal` for what the webhook would deny.
    func wired(_ cluster: ClusterDocument) throws(JobStartRefusal) -> InjectedStorage? {
        guard !volumes.isEmpty else { return nil }
        do {
            let backends = try cluster.storageBackends
            if backends.isEmpty { return nil }
            let items = try volumes.map { volume in
                try StorageInjection(
                    mountPath: volume.path, uri: volume.sourceURI, mode: volume.readOnly ? .read : .write, cluster: job.cluster)
            }
            try StorageInjection.checkDistinct(items)
            for item in items {
                guard item.org == job.org else { throw InvalidInjection("org mismatch: `\(item.org)`") }
                guard item.project == job.project else { throw InvalidInjection("project mismatch: `\(item.project)`") }
            }
            return try InjectedStorage(items, find: backends.find)
        } catch let error as InjectedStorage.Unresolvable {
            throw .storage("no storage back end holds `\(error.path)`")
        } catch {
            throw .storage("\(error)")
        }
    }

    /// Whether a pod has everything that the job asks for.
    func isIn(_ pod: Pod) -> Bool {
        volumes.isEmpty || InjectedStorage.isComplete(pod, for: volumes.map { ($0.path, $0.readOnly) })
    }

    /// - Parameter pod: as the API server would make it, admission webhooks included.
    func require(in pod: Pod) throws(JobStartRefusal) {
        guard isIn(pod) else {
            throw .storage("it has neither storage back ends in its configuration nor the storage service's admission webhook")
        }
    }

    /// What the API server's refusal of a pod means when storage is to be mounted: a webhook's own words are for the job's owner.
    static func refusal(_ error: KubernetesError) -> JobStartRefusal? {
        guard let code = error.code, (400..<500).contains(code), let message = error.status?.message,
            message.contains("admission webhook")
        else { return nil }
        // admission webhook "storage-admission-controller.apolo.us" denied the request: injection spec is invalid
        let words = message.firstRange(of: "denied the request: ").map { String(message[$0.upperBound...]) } ?? message
        return .storage(String(words.prefix(500)))
    }
}
