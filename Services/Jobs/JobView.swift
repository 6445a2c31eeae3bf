import PlatformModel

/// Makes the answer of a job (jobs-api.md 7) from its record and what its cluster's configuration says at this moment.
struct JobView: Sendable {
    /// nil when the cluster is no longer configured: prices are 0 and the host is a dummy.
    let cluster: ClusterDocument?
    let now: UTCTime

    /// - Parameter created: for the answer to the creation, which does not yet show a schedule that nobody named (5.6).
    func response(_ job: JobRecord, created: Bool = false) -> JobResponse? {
        guard let history = JobHistory(job.history.items, now: now) else { return nil }
        let spec = job.spec
        let price = cluster.map { JobPricing(presets: $0.orchestrator.resourcePresets).perHour(spec) } ?? .zero
        let schedule = spec.schedulerEnabled ? spec.energyScheduleName ?? (created ? nil : "default") : nil
        return JobResponse(
            id: job.id, owner: job.owner, namespace: job.namespace, clusterName: job.cluster, orgName: job.org,
            projectName: job.project, orgProjectHash: job.orgProjectHash, uri: job.uri.canonical, name: job.name,
            presetName: spec.presetName,
            description: spec.description, tags: job.tags, statuses: job.history.items, history: history, container: spec.container,
            schedulerEnabled: spec.schedulerEnabled, preemptibleNode: spec.preemptibleNode, passConfig: spec.passConfig,
            privileged: spec.privileged, materialized: job.materialized, beingDropped: job.beingDropped, logsRemoved: job.logsRemoved,
            restartPolicy: spec.restartPolicy, priority: spec.priority,
            totalPriceCredits: JobPricing.total(price, microseconds: job.history.runTime(until: now)), priceCreditsPerHour: price,
            internalHostname: job.internalHostname, internalHostnameNamed: job.internalHostnameNamed,
            httpURL: spec.container.http == nil ? nil : url(job, label: job.id.text),
            httpURLNamed: spec.container.http == nil ? nil : job.namedHost.map { url(job, label: $0) },
            scheduleTimeout: spec.scheduleTimeout, maxRunTimeMinutes: job.maxRunTimeMinutes, energyScheduleName: schedule)
    }

    private func url(_ job: JobRecord, label: String) -> String {
        let template = cluster?.orchestrator.jobHostnameTemplate ?? "{job_id}.{namespace}.missing-cluster"
        let scheme = cluster?.orchestrator.isHTTPIngressSecure == false ? "http" : "https"
        return "\(scheme)://"
            + template.replacing("{job_id}", with: label).replacing("{namespace}", with: job.namespace)
    }
}
