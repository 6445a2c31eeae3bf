/// State of a cluster's infrastructure.
public enum ClusterStatus: String, Codable, Hashable, Sendable, CaseIterable {
    case blank, deploying, testing, deployed, destroying, destroyed, failed
}

/// The configuration of one compute cluster, as config-api stores and serves it.
///
/// Decoding is tolerant (a missing section is its default, unknown keys are ignored); encoding writes every section, because one incomplete
/// element breaks the clients' listing. `cloud_provider` and `credentials` are kept whole, whatever they hold.
public struct ClusterDocument: Hashable, Sendable, Codable {
    public var name: ClusterName
    public var status: ClusterStatus
    public var createdAt: UTCTime
    public var orchestrator: OrchestratorSection
    public var storage: StorageSection
    public var registry: ServiceSection
    public var monitoring: ServiceSection
    public var secrets: ServiceSection
    public var metrics: ServiceSection
    public var grafana: ServiceSection
    public var prometheus: ServiceSection
    public var disks: DisksSection
    public var buckets: BucketsSection
    public var energy: EnergySection
    public var apps: AppsSection
    public var ingress: IngressSection
    public var dns: DNSSection
    /// IANA name.
    public var timezone: String
    public var location: String?
    public var logoURL: String?
    public var platformInfraImageTag: String?
    /// For cluster administrators, secrets masked.
    public var cloudProvider: JSON?
    /// For the cluster itself and for control-plane services only.
    public var credentials: JSON?

    /// A blank cluster whose addresses follow from its DNS name by the platform's conventions.
    public init(blank name: ClusterName, dnsName: String, createdAt: UTCTime = .now) {
        self.name = name
        status = .blank
        self.createdAt = createdAt
        orchestrator = OrchestratorSection(
            jobHostnameTemplate: "{job_id}.jobs.\(dnsName)", jobFallbackHostname: "default.jobs.\(dnsName)")
        storage = StorageSection(url: "https://\(dnsName)/api/v1/storage", volumes: [.init(name: "default")])
        registry = ServiceSection(url: "https://registry.\(dnsName)")
        monitoring = ServiceSection(url: "https://\(dnsName)/api/v1/jobs")
        secrets = ServiceSection(url: "https://\(dnsName)/api/v1/secrets")
        metrics = ServiceSection(url: "https://metrics.\(dnsName)")
        grafana = ServiceSection(url: "https://grafana.\(dnsName)")
        prometheus = ServiceSection(url: "https://prometheus.\(dnsName)")
        disks = DisksSection(url: "https://\(dnsName)/api/v1/disk")
        buckets = BucketsSection(url: "https://\(dnsName)/api/v1/buckets")
        energy = EnergySection()
        apps = AppsSection(appsHostnameTemplates: ["{app_name}.apps.\(dnsName)"], appProxyURL: "https://proxy.apps.\(dnsName)")
        ingress = IngressSection()
        dns = DNSSection(name: dnsName)
        timezone = "UTC"
    }

    enum CodingKeys: String, CodingKey {
        case name, status, orchestrator, storage, registry, monitoring, secrets, metrics, grafana, prometheus, disks, buckets, energy, apps
        case ingress, dns, timezone, location, credentials
        case createdAt = "created_at"
        case logoURL = "logo_url"
        case platformInfraImageTag = "platform_infra_image_tag"
        case cloudProvider = "cloud_provider"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func section<T: Decodable>(_ key: CodingKeys, _ fallback: T) throws -> T {
            try container.decodeIfPresent(T.self, forKey: key) ?? fallback
        }
        let name = try container.decode(ClusterName.self, forKey: .name)
        let dns = try container.decodeIfPresent(DNSSection.self, forKey: .dns)
        var document = ClusterDocument(blank: name, dnsName: dns?.name ?? "not-used", createdAt: UTCTime(microseconds: 0))
        document.dns = dns ?? document.dns
        document.status = try section(.status, document.status)
        document.createdAt = try section(.createdAt, document.createdAt)
        document.orchestrator = try section(.orchestrator, document.orchestrator)
        document.storage = try section(.storage, document.storage)
        document.registry = try section(.registry, document.registry)
        document.monitoring = try section(.monitoring, document.monitoring)
        document.secrets = try section(.secrets, document.secrets)
        document.disks = try section(.disks, document.disks)
        document.buckets = try section(.buckets, document.buckets)
        document.energy = try section(.energy, document.energy)
        document.apps = try section(.apps, document.apps)
        document.ingress = try section(.ingress, document.ingress)
        document.timezone = try section(.timezone, document.timezone)
        document.location = try container.decodeIfPresent(String.self, forKey: .location)
        document.logoURL = try container.decodeIfPresent(String.self, forKey: .logoURL)
        document.platformInfraImageTag = try container.decodeIfPresent(String.self, forKey: .platformInfraImageTag)
        document.cloudProvider = try container.decodeIfPresent(JSON.self, forKey: .cloudProvider)
        document.credentials = try container.decodeIfPresent(JSON.self, forKey: .credentials)
        try document.decodeMetrics(
            metrics: container.decodeIfPresent(ServiceSection.self, forKey: .metrics),
            grafana: container.decodeIfPresent(ServiceSection.self, forKey: .grafana),
            prometheus: container.decodeIfPresent(ServiceSection.self, forKey: .prometheus))
        self = document
    }

    /// `metrics` is the older name of both `grafana` and `prometheus`; either form fills the other.
    private mutating func decodeMetrics(metrics: ServiceSection?, grafana: ServiceSection?, prometheus: ServiceSection?) throws {
        if let grafana = grafana ?? metrics { self.grafana = grafana }
        if let prometheus = prometheus ?? metrics {
            self.prometheus = ServiceSection(url: prometheus.url.replacing("grafana", with: "prometheus"))
        }
        if let metrics = metrics ?? grafana { self.metrics = metrics }
    }
}
