import PlatformModel

/// A cluster in the bootstrap document.
public struct BootstrapCluster: Hashable, Sendable, Codable {
    public var name: ClusterName
    /// The organizations through which the caller can use it; the first becomes the client's current one.
    public var orgs: [OrgName]
    public var registryURL: String
    public var storageURL: String
    public var usersURL: String
    public var monitoringURL: String
    public var secretsURL: String
    public var grafanaURL: String
    public var prometheusURL: String
    public var disksURL: String
    public var bucketsURL: String
    public var timezone: String
    public var location: String?
    public var logoURL: String?
    public var energySchedules: [EnergySchedule]
    public var storageVolumes: [StorageVolume]
    public var apps: AppsSection
    public var resourcePoolTypes: [BootstrapPool]
    public var resourcePresets: [BootstrapPreset]

    /// From a cluster's document, the caller's organizations there, and the volumes that the caller may see.
    public init(_ document: ClusterDocument, orgs: [OrgName], usersURL: String, volumes: [StorageSection.Volume]) {
        name = document.name
        self.orgs = orgs
        registryURL = document.registry.url
        storageURL = document.storage.url
        self.usersURL = usersURL
        monitoringURL = document.monitoring.url
        secretsURL = document.secrets.url
        grafanaURL = document.grafana.url
        prometheusURL = document.prometheus.url
        disksURL = document.disks.url
        bucketsURL = document.buckets.url
        timezone = document.timezone
        location = document.location
        logoURL = document.logoURL
        energySchedules = document.energy.schedules.map { .init(name: $0.name, periods: $0.periods) }
        storageVolumes = volumes.map { .init(name: $0.name, creditsPerHourPerGB: $0.creditsPerHourPerGB) }
        apps = document.apps
        resourcePoolTypes = document.orchestrator.resourcePoolTypes.map(BootstrapPool.init)
        resourcePresets = document.orchestrator.resourcePresets.map(BootstrapPreset.init)
    }

    /// Without prices.
    public struct EnergySchedule: Hashable, Sendable, Codable {
        public var name: String
        public var periods: [EnergySection.Period]
    }

    public struct StorageVolume: Hashable, Sendable, Codable {
        public var name: String
        public var creditsPerHourPerGB: Money

        enum CodingKeys: String, CodingKey {
            case name
            case creditsPerHourPerGB = "credits_per_hour_per_gb"
        }
    }

    enum CodingKeys: String, CodingKey {
        case name, orgs, timezone, location, apps
        case registryURL = "registry_url"
        case storageURL = "storage_url"
        case usersURL = "users_url"
        case monitoringURL = "monitoring_url"
        case secretsURL = "secrets_url"
        case grafanaURL = "grafana_url"
        case prometheusURL = "prometheus_url"
        case disksURL = "disks_url"
        case bucketsURL = "buckets_url"
        case logoURL = "logo_url"
        case energySchedules = "energy_schedules"
        case storageVolumes = "storage_volumes"
        case resourcePoolTypes = "resource_pool_types"
        case resourcePresets = "resource_presets"
    }
}
