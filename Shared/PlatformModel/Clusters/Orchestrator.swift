/// Section `orchestrator`.
public struct OrchestratorSection: Hashable, Sendable, Codable {
    /// Holds `{job_id}` and perhaps `{namespace}`.
    public var jobHostnameTemplate: String
    public var jobFallbackHostname: String
    /// Seconds.
    public var jobScheduleTimeout: Double
    /// Seconds.
    public var jobScheduleScaleUpTimeout: Double
    public var isHTTPIngressSecure: Bool
    public var resourcePoolTypes: [ResourcePoolType]
    /// In order of creation; the first is the client's default.
    public var resourcePresets: [ResourcePreset]
    public var allowPrivilegedMode: Bool
    public var allowJobPriority: Bool
    public var prePullImages: [String]
    /// Filler pods; kept as they came, nothing of ours reads them.
    public var idleJobs: [JSON]

    public init(
        jobHostnameTemplate: String, jobFallbackHostname: String, jobScheduleTimeout: Double = 300,
        jobScheduleScaleUpTimeout: Double = 300, isHTTPIngressSecure: Bool = true, resourcePoolTypes: [ResourcePoolType] = [],
        resourcePresets: [ResourcePreset] = [], allowPrivilegedMode: Bool = false, allowJobPriority: Bool = false,
        prePullImages: [String] = [], idleJobs: [JSON] = []
    ) {
        self.jobHostnameTemplate = jobHostnameTemplate
        self.jobFallbackHostname = jobFallbackHostname
        self.jobScheduleTimeout = jobScheduleTimeout
        self.jobScheduleScaleUpTimeout = jobScheduleScaleUpTimeout
        self.isHTTPIngressSecure = isHTTPIngressSecure
        self.resourcePoolTypes = resourcePoolTypes
        self.resourcePresets = resourcePresets
        self.allowPrivilegedMode = allowPrivilegedMode
        self.allowJobPriority = allowJobPriority
        self.prePullImages = prePullImages
        self.idleJobs = idleJobs
    }

    /// Whether round-robin scheduling is in use: some preset asks for it.
    public var isSchedulerAllowed: Bool { resourcePresets.contains(where: \.schedulerEnabled) }

    public func preset(_ name: String) -> ResourcePreset? { resourcePresets.first { $0.name == name } }

    public func pool(_ name: String) -> ResourcePoolType? { resourcePoolTypes.first { $0.name == name } }

    enum CodingKeys: String, CodingKey {
        case jobHostnameTemplate = "job_hostname_template"
        case jobFallbackHostname = "job_fallback_hostname"
        case jobScheduleTimeout = "job_schedule_timeout_s"
        case jobScheduleScaleUpTimeout = "job_schedule_scale_up_timeout_s"
        case isHTTPIngressSecure = "is_http_ingress_secure"
        case resourcePoolTypes = "resource_pool_types"
        case resourcePresets = "resource_presets"
        case allowPrivilegedMode = "allow_privileged_mode"
        case allowJobPriority = "allow_job_priority"
        case prePullImages = "pre_pull_images"
        case idleJobs = "idle_jobs"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        jobHostnameTemplate = try container.decode(String.self, forKey: .jobHostnameTemplate)
        jobFallbackHostname = try container.decodeIfPresent(String.self, forKey: .jobFallbackHostname) ?? ""
        jobScheduleTimeout = try container.decodeIfPresent(Double.self, forKey: .jobScheduleTimeout) ?? 300
        jobScheduleScaleUpTimeout = try container.decodeIfPresent(Double.self, forKey: .jobScheduleScaleUpTimeout) ?? 300
        isHTTPIngressSecure = try container.decodeIfPresent(Bool.self, forKey: .isHTTPIngressSecure) ?? true
        resourcePoolTypes = try container.decodeIfPresent([ResourcePoolType].self, forKey: .resourcePoolTypes) ?? []
        resourcePresets = try container.decodeIfPresent([ResourcePreset].self, forKey: .resourcePresets) ?? []
        allowPrivilegedMode = try container.decodeIfPresent(Bool.self, forKey: .allowPrivilegedMode) ?? false
        allowJobPriority = try container.decodeIfPresent(Bool.self, forKey: .allowJobPriority) ?? false
        prePullImages = try container.decodeIfPresent([String].self, forKey: .prePullImages) ?? []
        idleJobs = try container.decodeIfPresent([JSON].self, forKey: .idleJobs) ?? []
    }
}
