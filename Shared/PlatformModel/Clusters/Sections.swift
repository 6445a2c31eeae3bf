/// An object with a single `url`: registry, monitoring, secrets, metrics, grafana, prometheus.
public struct ServiceSection: Hashable, Sendable, Codable {
    public var url: String
    public init(url: String) { self.url = url }
}

/// Section `storage`.
public struct StorageSection: Hashable, Sendable, Codable {
    public var url: String
    public var volumes: [Volume]

    public init(url: String, volumes: [Volume] = []) {
        self.url = url
        self.volumes = volumes
    }

    /// A storage volume; the one without a path is the default.
    public struct Volume: Hashable, Sendable, Codable {
        public var name: String
        /// Absolute, below the storage root.
        public var path: String?
        /// Bytes.
        public var size: Int64?
        /// Per 10⁹ bytes.
        public var creditsPerHourPerGB: Money

        public init(name: String, path: String? = nil, size: Int64? = nil, creditsPerHourPerGB: Money = .zero) {
            self.name = name
            self.path = path
            self.size = size
            self.creditsPerHourPerGB = creditsPerHourPerGB
        }

        enum CodingKeys: String, CodingKey {
            case name, path, size
            case creditsPerHourPerGB = "credits_per_hour_per_gb"
        }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            name = try container.decode(String.self, forKey: .name)
            path = try container.decodeIfPresent(String.self, forKey: .path)
            size = try container.decodeIfPresent(Int64.self, forKey: .size)
            creditsPerHourPerGB = try container.decodeMoneyIfPresent(forKey: .creditsPerHourPerGB) ?? .zero
        }
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        url = try container.decode(String.self, forKey: .url)
        volumes = try container.decodeIfPresent([Volume].self, forKey: .volumes) ?? []
    }
}

/// Section `disks`.
public struct DisksSection: Hashable, Sendable, Codable {
    public var url: String
    /// Bytes.
    public var storageLimitPerUser: Int64

    public init(url: String, storageLimitPerUser: Int64 = 500 << 30) {
        self.url = url
        self.storageLimitPerUser = storageLimitPerUser
    }

    enum CodingKeys: String, CodingKey {
        case url
        case storageLimitPerUser = "storage_limit_per_user"
    }
}

/// Section `buckets`.
public struct BucketsSection: Hashable, Sendable, Codable {
    public var url: String
    public var disableCreation: Bool

    public init(url: String, disableCreation: Bool = false) {
        self.url = url
        self.disableCreation = disableCreation
    }

    enum CodingKeys: String, CodingKey {
        case url
        case disableCreation = "disable_creation"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        url = try container.decode(String.self, forKey: .url)
        disableCreation = try container.decodeIfPresent(Bool.self, forKey: .disableCreation) ?? false
    }
}

/// Section `ingress`.
public struct IngressSection: Hashable, Sendable, Codable {
    /// `staging` or `production`.
    public var acmeEnvironment: String
    public var defaultCORSOrigins: [String]
    public var additionalCORSOrigins: [String]

    public init(acmeEnvironment: String = "production", defaultCORSOrigins: [String] = [], additionalCORSOrigins: [String] = []) {
        self.acmeEnvironment = acmeEnvironment
        self.defaultCORSOrigins = defaultCORSOrigins
        self.additionalCORSOrigins = additionalCORSOrigins
    }

    enum CodingKeys: String, CodingKey {
        case acmeEnvironment = "acme_environment"
        case defaultCORSOrigins = "default_cors_origins"
        case additionalCORSOrigins = "additional_cors_origins"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        acmeEnvironment = try container.decodeIfPresent(String.self, forKey: .acmeEnvironment) ?? "production"
        defaultCORSOrigins = try container.decodeIfPresent([String].self, forKey: .defaultCORSOrigins) ?? []
        additionalCORSOrigins = try container.decodeIfPresent([String].self, forKey: .additionalCORSOrigins) ?? []
    }
}

/// Section `dns`.
public struct DNSSection: Hashable, Sendable, Codable {
    public var name: String
    public var aRecords: [ARecord]

    public init(name: String, aRecords: [ARecord] = []) {
        self.name = name
        self.aRecords = aRecords
    }

    /// Either a list of addresses or an alias (`dnsName` and `zoneID`).
    public struct ARecord: Hashable, Sendable, Codable {
        public var name: String
        public var ips: [String]?
        public var dnsName: String?
        public var zoneID: String?
        public var evaluateTargetHealth: Bool?

        public init(name: String, ips: [String]? = nil, dnsName: String? = nil, zoneID: String? = nil, evaluateTargetHealth: Bool? = nil) {
            self.name = name
            self.ips = ips
            self.dnsName = dnsName
            self.zoneID = zoneID
            self.evaluateTargetHealth = evaluateTargetHealth
        }

        enum CodingKeys: String, CodingKey {
            case name, ips
            case dnsName = "dns_name"
            case zoneID = "zone_id"
            case evaluateTargetHealth = "evaluate_target_health"
        }
    }

    enum CodingKeys: String, CodingKey {
        case name
        case aRecords = "a_records"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decode(String.self, forKey: .name)
        aRecords = try container.decodeIfPresent([ARecord].self, forKey: .aRecords) ?? []
    }
}

/// Section `apps`.
public struct AppsSection: Hashable, Sendable, Codable {
    public var appsHostnameTemplates: [String]
    public var appProxyURL: String
    public var launchpadUseSubdomain: Bool

    public init(appsHostnameTemplates: [String] = [], appProxyURL: String, launchpadUseSubdomain: Bool = false) {
        self.appsHostnameTemplates = appsHostnameTemplates
        self.appProxyURL = appProxyURL
        self.launchpadUseSubdomain = launchpadUseSubdomain
    }

    enum CodingKeys: String, CodingKey {
        case appsHostnameTemplates = "apps_hostname_templates"
        case appProxyURL = "app_proxy_url"
        case launchpadUseSubdomain = "launchpad_use_subdomain"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        appsHostnameTemplates = try container.decodeIfPresent([String].self, forKey: .appsHostnameTemplates) ?? []
        appProxyURL = try container.decode(String.self, forKey: .appProxyURL)
        launchpadUseSubdomain = try container.decodeIfPresent(Bool.self, forKey: .launchpadUseSubdomain) ?? false
    }
}
