import Foundation
import Kubernetes
import Logging
import PlatformModel

/// Makes and removes the Kubernetes objects of jobs. Every step may be repeated: what stands already and is ours is left as it is, and every
/// deletion names the uid that it means.
struct JobObjects: Sendable {
    let client: KubernetesClient
    let settings: ControllerSettings
    /// Throws when this process may not act for the cluster any more. Asked before everything that changes the cluster.
    let mayAct: @Sendable () throws -> Void
    let logger: Logger
}

// MARK: - Starting

extension JobObjects {
    /// Checks what the job refers to (jobs-orchestration.md 7.4).
    func checkReferences(_ job: JobRecord) async throws {
        let container = job.spec.container
        let secrets = (container.secretVolumes.map(\.sourceURI) + container.secretEnv.values).map(SecretReference.init)
        var missing: Set<String> = []
        for (name, references) in Dictionary(grouping: secrets, by: \.objectName) {
            let keys = try await client.find(.secrets, name, in: job.namespace)?.data ?? [:]
            missing.formUnion(references.map(\.key).filter { keys[$0] == nil })
        }
        if !missing.isEmpty { throw JobStartRefusal.missingSecrets(Array(missing)) }
        var disks: Set<String> = []
        for disk in Set(container.diskVolumes.map(DiskReference.init)) where try await !exists(disk, for: job) { disks.insert(disk.id) }
        if !disks.isEmpty { throw JobStartRefusal.missingDisks(Array(disks)) }
    }

    private func exists(_ disk: DiskReference, for job: JobRecord) async throws -> Bool {
        guard disk.canBeNamed else { return false }
        return try await client.find(.persistentVolumeClaims, disk.id, in: job.namespace).map { DiskReference.mayUse($0, job) } ?? false
    }

    func ensureNamespace(_ place: ProjectNamespace) async throws {
        try await place.ensure(on: client, before: mayAct)
    }

    func ensurePullSecret(_ job: JobRecord, in cluster: ClusterDocument) async throws {
        let secret = try PullSecret.secret(owner: job.owner, cluster: cluster, settings: settings)
        let name = PullSecret.name(owner: job.owner)
        if let standing = try await client.find(.secrets, name, in: job.namespace) {
            if standing.data == secret.data { return }
            try mayAct()
            let data = secret.data?[PullSecret.dataKey]?.base64EncodedString() ?? ""
            try await client.patch(.secrets, name, in: job.namespace, .merge(["data": [PullSecret.dataKey: .string(data)]]))
        } else {
            try mayAct()
            try await unlessItStands { try await client.create(.secrets, secret, in: job.namespace) }
        }
    }

    /// The pod of the job's current attempt: made, or found standing.
    /// - Throws: `JobStartRefusal` when it never can be made.
    func ensurePod(_ pod: Pod, of job: JobRecord) async throws -> Pod {
        let storage = JobStorage(job)
        let made: Pod
        do {
            // Webhooks are asked in a dry run as well: if they would not bring the storage, there is to be no pod for a moment either.
            if !storage.isIn(pod) { try storage.require(in: await client.create(.pods, pod, in: job.namespace, isDryRun: true)) }
            try mayAct()
            made = try await client.create(.pods, pod, in: job.namespace)
        } catch let error as KubernetesError where error.isAlreadyExists {
            made = try await client.get(.pods, pod.metadata.name ?? "", in: job.namespace)
            guard made.metadata.labels[JobLabels.job] == job.id.text else { throw JobStartRefusal.invalidObjects }
        } catch let error as KubernetesError {
            logger.warning("A pod was refused", metadata: ["job": "\(job.id)", "error": "\(error)"])
            if let refusal = JobStorage.refusal(error) ?? Self.refusal(error) { throw refusal }
            throw error
        }
        do {
            try storage.require(in: made)
        } catch {
            // The webhook went between the two. Its program must not run on without what it was to work with.
            if let uid = made.metadata.uid { try await removePod(made.metadata.name ?? "", uid: uid, force: true, of: job) }
            throw error
        }
        return made
    }

    /// nil for what passes: the server away or overloaded, our credentials, a namespace that is not ready yet or not any more.
    static func refusal(_ error: KubernetesError) -> JobStartRefusal? {
        switch error.code {
        case 422: return .invalidObjects
        case 400, 410: return .refused
        case 403:
            let message = (error.status?.message ?? "").lowercased()
            let passes = ["serviceaccount", "service account", "being terminated", "cannot create resource"].contains {
                message.contains($0)
            }
            return passes ? nil : .refused
        default: return nil
        }
    }

    func ensureNetwork(_ network: JobNetwork) async throws {
        let job = network.job
        try mayAct()
        try await unlessItStands { try await client.create(.services, network.service, in: job.namespace) }
        if let named = network.namedService { try await ensureNamed(named, of: job) }
        if network.isUnprotectable {
            logger.warning(
                "A job asks that visitors sign in, which this ingress class cannot see to: it is not published",
                metadata: ["job": "\(job.id)", "class": "\(settings.ingressClass)"])
        }
        if let ingress = network.ingress {
            await removeIngressesOfPredecessors(job)
            try mayAct()
            try await unlessItStands { try await client.create(.ingresses, ingress, in: job.namespace) }
        }
    }

    /// The name passes from an ended job to its successor.
    private func ensureNamed(_ service: KubernetesService, of job: JobRecord) async throws {
        let name = service.metadata.name ?? ""
        if let standing = try await client.find(.services, name, in: job.namespace) {
            if standing.metadata.labels[JobLabels.job] == job.id.text { return }
            try mayAct()
            try await delete(.services, standing, in: job.namespace)
        }
        try mayAct()
        try await unlessItStands { try await client.create(.services, service, in: job.namespace) }
    }

    private func removeIngressesOfPredecessors(_ job: JobRecord) async {
        guard let name = job.name else { return }
        do {
            for ingress in try await client.list(.ingresses, in: job.namespace, labels: Selector(JobLabels.named(job, name))).items
            where ingress.metadata.labels[JobLabels.job] != job.id.text {
                try mayAct()
                try await delete(.ingresses, ingress, in: job.namespace)
            }
        } catch {
            logger.warning("An old ingress could not be removed", metadata: ["job": "\(job.id)", "error": "\(error)"])
        }
    }

    private func unlessItStands<T>(_ create: () async throws -> T) async throws {
        do { _ = try await create() } catch let error as KubernetesError where error.isAlreadyExists {}
    }
}

// MARK: - Removing

extension JobObjects {
    /// Removes all objects of a job. Returns when all are gone or going.
    func remove(_ job: JobRecord) async throws {
        let labels = Selector(JobLabels.own(job))
        for ingress in try await client.list(.ingresses, in: job.namespace, labels: labels).items {
            try await delete(.ingresses, ingress, in: job.namespace)
        }
        for service in try await client.list(.services, in: job.namespace, labels: labels).items {
            try await delete(.services, service, in: job.namespace)
        }
        for pod in try await client.list(.pods, in: job.namespace, labels: labels).items where pod.metadata.deletionTimestamp == nil {
            try await delete(.pods, pod, in: job.namespace)
        }
    }

    func removePod(_ name: String, uid: String, force: Bool, of job: JobRecord) async throws {
        try mayAct()
        try await ifItStands {
            try await client.delete(.pods, name, in: job.namespace, DeleteOptions(gracePeriodSeconds: force ? 0 : nil, uid: uid))
        }
    }

    private func delete<O>(_ kind: ResourceKind<O>, _ object: O, in namespace: String) async throws {
        try mayAct()
        try await ifItStands {
            try await client.delete(kind, object.metadata.name ?? "", in: namespace, DeleteOptions(uid: object.metadata.uid))
        }
    }

    /// Gone already, or another object by now: either way the one that was meant is no more.
    private func ifItStands(_ delete: () async throws -> Void) async throws {
        do { try await delete() } catch let error as KubernetesError where error.isNotFound || error.isConflict {}
    }
}
