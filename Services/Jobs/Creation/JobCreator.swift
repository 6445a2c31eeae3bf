import Logging
import PlatformClients
import PlatformModel
import ServiceKit

/// Creates jobs, in the order of steps that decides which refusal wins (jobs-api.md 5.2).
struct JobCreator: Sendable {
    let store: JobStore
    let clusters: ClusterRegistry
    let auth: AuthClient
    let admin: AdminClient
    let passConfig: PassConfig
    let logger: Logger

    /// - Parameter flat: container fields at top level, resources from a preset.
    func create(_ body: OrderedJSON, flat: Bool, caller: Caller) async throws -> (job: JobRecord, cluster: ClusterDocument) {
        try await auth.verify(caller)
        guard case .object = body else { throw PlatformError.badRequest("value is not a dict") }
        let owner = try PrincipalName(caller.name)
        let user = try await admin.user(owner.base)
        let scope = try JobMemberships(user?.clusters ?? []).scope(of: body, owner: caller.name)
        let found = try await clusters.cluster(scope.cluster)
        // A cluster that is not configured has no presets and no pools: the fields are checked against nothing.
        let orchestrator = found?.orchestrator ?? OrchestratorSection(jobHostnameTemplate: "", jobFallbackHostname: "")
        let request = try JobRequest(
            body,
            rules: JobRequestRules(
                scope: scope, orchestrator: orchestrator, schedules: (found?.energy.schedules ?? []).map(\.name),
                preset: flat ? PresetChoice.resolve(body, presets: orchestrator.resourcePresets) : nil))
        try await auth.require(
            JobPermissions.creating(request.spec.container, in: scope, registry: found?.registry.url ?? "").map { [$0] }, as: caller)
        if let name = request.name, JobID.looksLikeID(name) {
            throw PlatformError.badRequest("Failed to create job: job name cannot start with 'job-' prefix.")
        }
        guard let cluster = found else { throw PlatformError.badRequest("Cluster '\(scope.cluster)' not found") }
        let quotas = try await JobAdmission(store: store, admin: admin).check(
            scope, owner: owner, membership: user, waits: request.spec.waitsForQuota)
        if request.spec.passConfig { try PassConfig.check(request.spec.container) }
        if request.spec.privileged, !orchestrator.allowPrivilegedMode {
            throw PlatformError.badRequest("Cluster \(scope.cluster) does not allow privileged jobs")
        }
        if request.spec.priority != .normal, !orchestrator.allowJobPriority {
            throw PlatformError.badRequest("Cluster \(scope.cluster) does not allow specifying job priority")
        }
        return (try await insert(JobRecord(request, scope: scope, owner: caller.name), quotas: quotas), cluster)
    }

    private func insert(_ draft: JobRecord, quotas: [JobQuota]) async throws -> JobRecord {
        let job = draft.spec.passConfig ? try await passConfig.add(to: draft) : draft
        do {
            return try await store.insert(job, quotas: quotas)
        } catch {
            // Whatever the reason: the token must not outlive a job that was not made. If it was made after all, it is a job without a
            // working token rather than a token without a job.
            if job.spec.passConfig { await takeBack(job) }
            if case JobStoreError.nameTaken(let holder) = error, let name = job.name {
                let tail = holder.map { ": '\($0)'" } ?? ""
                throw PlatformError.badRequest(
                    "Failed to create job: job with name '\(name)' and project '\(job.project)' already exists\(tail)")
            }
            throw error
        }
    }

    private func takeBack(_ job: JobRecord) async {
        do {
            try await passConfig.revoke(from: job)
        } catch {
            logger.warning("The token of a job that was not created could not be revoked", metadata: ["job": "\(job.id)"])
        }
    }
}

extension JobRecord {
    /// A new job as it will be stored; the store sets the time.
    init(_ request: JobRequest, scope: JobScope, owner: String) {
        let place = JobPlace(org: scope.org, project: scope.project)
        self.init(
            id: .random(), owner: owner, name: request.name, cluster: scope.cluster, org: scope.org, project: scope.project,
            orgProjectHash: place.hash, namespace: place.namespace, tags: request.tags, spec: request.spec,
            history: JobStatusHistory(JobStatusItem(.pending, at: .now, reason: JobStatusReason.creating)),
            maxRunTimeMinutes: request.maxRunTimeMinutes)
    }

    /// The same draft with another specification.
    func with(_ spec: JobSpec) -> JobRecord {
        JobRecord(
            id: id, owner: owner, name: name, cluster: cluster, org: org, project: project, orgProjectHash: orgProjectHash,
            namespace: namespace, tags: tags, spec: spec, history: history, maxRunTimeMinutes: maxRunTimeMinutes)
    }
}
