/// The `container` object of a job: as stored and as answered.
public struct JobContainer: Hashable, Sendable, Codable {
    public var image: String
    public var entrypoint: String?
    public var command: String?
    public var env: [String: String]
    public var resources: JobResources
    public var http: HTTP?
    public var tty: Bool
    /// Variable name → `secret://` URI.
    public var secretEnv: [String: ResourceURI]
    public var secretVolumes: [SecretVolume]
    public var diskVolumes: [DiskVolume]
    public var volumes: [Volume]
    public var workingDir: String?

    public init(
        image: String, entrypoint: String? = nil, command: String? = nil, env: [String: String] = [:], resources: JobResources,
        http: HTTP? = nil, tty: Bool = false, secretEnv: [String: ResourceURI] = [:], secretVolumes: [SecretVolume] = [],
        diskVolumes: [DiskVolume] = [], volumes: [Volume] = [], workingDir: String? = nil
    ) {
        self.image = image
        self.entrypoint = entrypoint
        self.command = command
        self.env = env
        self.resources = resources
        self.http = http
        self.tty = tty
        self.secretEnv = secretEnv
        self.secretVolumes = secretVolumes
        self.diskVolumes = diskVolumes
        self.volumes = volumes
        self.workingDir = workingDir
    }

    /// The port that the job serves HTTP on.
    public struct HTTP: Hashable, Sendable, Codable {
        public var port: Int
        public var healthCheckPath: String
        public var requiresAuth: Bool

        public init(port: Int, healthCheckPath: String = "/", requiresAuth: Bool = false) {
            self.port = port
            self.healthCheckPath = healthCheckPath
            self.requiresAuth = requiresAuth
        }

        enum CodingKeys: String, CodingKey {
            case port
            case healthCheckPath = "health_check_path"
            case requiresAuth = "requires_auth"
        }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            port = try container.decode(Int.self, forKey: .port)
            healthCheckPath = try container.decodeIfPresent(String.self, forKey: .healthCheckPath) ?? "/"
            requiresAuth = try container.decodeIfPresent(Bool.self, forKey: .requiresAuth) ?? false
        }
    }

    enum CodingKeys: String, CodingKey {
        case image, entrypoint, command, env, resources, http, tty, volumes
        case secretEnv = "secret_env"
        case secretVolumes = "secret_volumes"
        case diskVolumes = "disk_volumes"
        case workingDir = "working_dir"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        image = try container.decode(String.self, forKey: .image)
        entrypoint = try container.decodeIfPresent(String.self, forKey: .entrypoint)
        command = try container.decodeIfPresent(String.self, forKey: .command)
        env = try container.decodeIfPresent([String: String].self, forKey: .env) ?? [:]
        resources = try container.decode(JobResources.self, forKey: .resources)
        http = try container.decodeIfPresent(HTTP.self, forKey: .http)
        tty = try container.decodeIfPresent(Bool.self, forKey: .tty) ?? false
        secretEnv = try container.decodeIfPresent([String: ResourceURI].self, forKey: .secretEnv) ?? [:]
        secretVolumes = try container.decodeIfPresent([SecretVolume].self, forKey: .secretVolumes) ?? []
        diskVolumes = try container.decodeIfPresent([DiskVolume].self, forKey: .diskVolumes) ?? []
        volumes = try container.decodeIfPresent([Volume].self, forKey: .volumes) ?? []
        workingDir = try container.decodeIfPresent(String.self, forKey: .workingDir)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(image, forKey: .image)
        try container.encodeIfPresent(entrypoint, forKey: .entrypoint)
        try container.encodeIfPresent(command, forKey: .command)
        try container.encode(env, forKey: .env)
        try container.encode(resources, forKey: .resources)
        try container.encodeIfPresent(http, forKey: .http)
        if tty { try container.encode(true, forKey: .tty) }
        if !secretEnv.isEmpty { try container.encode(secretEnv, forKey: .secretEnv) }
        if !secretVolumes.isEmpty { try container.encode(secretVolumes, forKey: .secretVolumes) }
        if !diskVolumes.isEmpty { try container.encode(diskVolumes, forKey: .diskVolumes) }
        try container.encode(volumes, forKey: .volumes)
        try container.encodeIfPresent(workingDir, forKey: .workingDir)
    }
}
