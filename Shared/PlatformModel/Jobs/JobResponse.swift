/// A job as create, get and list answer it. Optional keys are absent, never null.
public struct JobResponse: Hashable, Sendable, Codable {
    public var id: JobID
    /// The full principal name, with slashes for service accounts.
    public var owner: String
    public var namespace: String
    public var clusterName: String
    public var orgName: String?
    public var projectName: String
    public var orgProjectHash: String
    /// `job://<cluster>/<org>/<project>/<id>`
    public var uri: String
    public var name: String?
    public var presetName: String?
    public var description: String?
    /// Sorted; nil when there are none.
    public var tags: [String]?
    public var status: JobStatus
    /// Oldest first.
    public var statuses: [JobStatusItem]
    public var history: JobHistory
    public var container: JobContainer
    public var schedulerEnabled: Bool
    public var preemptibleNode: Bool
    /// Legacy copy of `schedulerEnabled`.
    public var isPreemptible: Bool
    /// Legacy copy of `preemptibleNode`.
    public var isPreemptibleNodeRequired: Bool
    public var passConfig: Bool
    public var privileged: Bool
    public var materialized: Bool
    public var beingDropped: Bool
    public var logsRemoved: Bool
    public var restartPolicy: JobRestartPolicy
    public var priority: JobPriority
    public var totalPriceCredits: Money
    public var priceCreditsPerHour: Money
    public var internalHostname: String
    public var internalHostnameNamed: String?
    public var httpURL: String?
    public var httpURLNamed: String?
    /// Seconds.
    public var scheduleTimeout: Double?
    public var maxRunTimeMinutes: Int?
    public var energyScheduleName: String?

    public init(
        id: JobID, owner: String, namespace: String, clusterName: String, orgName: String?, projectName: String, orgProjectHash: String,
        uri: String, name: String?, presetName: String?, description: String?, tags: [String], statuses: [JobStatusItem],
        history: JobHistory, container: JobContainer, schedulerEnabled: Bool, preemptibleNode: Bool, passConfig: Bool, privileged: Bool,
        materialized: Bool, beingDropped: Bool, logsRemoved: Bool, restartPolicy: JobRestartPolicy, priority: JobPriority,
        totalPriceCredits: Money, priceCreditsPerHour: Money, internalHostname: String, internalHostnameNamed: String?, httpURL: String?,
        httpURLNamed: String?, scheduleTimeout: Double?, maxRunTimeMinutes: Int?, energyScheduleName: String?
    ) {
        func nonEmpty(_ text: String?) -> String? { text?.isEmpty == false ? text : nil }
        self.id = id
        self.owner = owner
        self.namespace = namespace
        self.clusterName = clusterName
        self.orgName = nonEmpty(orgName)
        self.projectName = projectName
        self.orgProjectHash = orgProjectHash
        self.uri = uri
        self.name = nonEmpty(name)
        self.presetName = nonEmpty(presetName)
        self.description = nonEmpty(description)
        self.tags = tags.isEmpty ? nil : tags.sorted()
        status = history.status
        self.statuses = statuses
        self.history = history
        self.container = container
        self.schedulerEnabled = schedulerEnabled
        self.preemptibleNode = preemptibleNode
        isPreemptible = schedulerEnabled
        isPreemptibleNodeRequired = preemptibleNode
        self.passConfig = passConfig
        self.privileged = privileged
        self.materialized = materialized
        self.beingDropped = beingDropped
        self.logsRemoved = logsRemoved
        self.restartPolicy = restartPolicy
        self.priority = priority
        self.totalPriceCredits = totalPriceCredits
        self.priceCreditsPerHour = priceCreditsPerHour
        self.internalHostname = internalHostname
        self.internalHostnameNamed = internalHostnameNamed
        self.httpURL = httpURL
        self.httpURLNamed = httpURLNamed
        self.scheduleTimeout = scheduleTimeout
        self.maxRunTimeMinutes = maxRunTimeMinutes
        self.energyScheduleName = energyScheduleName
    }

    enum CodingKeys: String, CodingKey {
        case id, owner, namespace, uri, name, description, tags, status, statuses, history, container, privileged, materialized, priority
        case clusterName = "cluster_name"
        case orgName = "org_name"
        case projectName = "project_name"
        case orgProjectHash = "org_project_hash"
        case presetName = "preset_name"
        case schedulerEnabled = "scheduler_enabled"
        case preemptibleNode = "preemptible_node"
        case isPreemptible = "is_preemptible"
        case isPreemptibleNodeRequired = "is_preemptible_node_required"
        case passConfig = "pass_config"
        case beingDropped = "being_dropped"
        case logsRemoved = "logs_removed"
        case restartPolicy = "restart_policy"
        case totalPriceCredits = "total_price_credits"
        case priceCreditsPerHour = "price_credits_per_hour"
        case internalHostname = "internal_hostname"
        case internalHostnameNamed = "internal_hostname_named"
        case httpURL = "http_url"
        case httpURLNamed = "http_url_named"
        case scheduleTimeout = "schedule_timeout"
        case maxRunTimeMinutes = "max_run_time_minutes"
        case energyScheduleName = "energy_schedule_name"
    }
}
