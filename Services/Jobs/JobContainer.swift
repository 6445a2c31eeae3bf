/// What a job runs, as its owner asked for it (jobs-api.md 6). Everything here was validated and made canonical before it was stored: the
/// URI that was checked is the URI that is mounted.
struct JobContainer: Hashable, Codable, Sendable {
    var image: String
    var entrypoint: String?
    var command: String?
    var workingDirectory: String?
    var tty = false
    /// In request order.
    var environment: [JobVariable] = []
    var resources: JobResources
    var http: JobHTTPServer?
    var volumes: [JobStorageVolume] = []
    var diskVolumes: [JobDiskVolume] = []
    var secretVolumes: [JobSecretVolume] = []
    /// In request order; the value is a secret URI.
    var secretEnvironment: [JobVariable] = []

    private enum CodingKeys: String, CodingKey {
        case image, entrypoint, command, tty, resources, http, volumes
        case workingDirectory = "working_dir"
        case environment = "env"
        case diskVolumes = "disk_volumes"
        case secretVolumes = "secret_volumes"
        case secretEnvironment = "secret_env"
    }
}

struct JobVariable: Hashable, Codable, Sendable {
    var name: String
    var value: String
}

struct JobHTTPServer: Hashable, Codable, Sendable {
    var port: Int
    var healthCheckPath = "/"
    var requiresAuth = false

    private enum CodingKeys: String, CodingKey {
        case port
        case healthCheckPath = "health_check_path"
        case requiresAuth = "requires_auth"
    }
}

struct JobStorageVolume: Hashable, Codable, Sendable {
    var uri: String
    var path: String
    var readOnly = true
}

struct JobDiskVolume: Hashable, Codable, Sendable {
    var disk: OwnedResourceURI
    var path: String
    var readOnly = true
}

struct JobSecretVolume: Hashable, Codable, Sendable {
    var secret: OwnedResourceURI
    var path: String
}

/// `secret://cluster/org/project/key` or `disk://cluster/org/project/id`: an owner path and, last, the thing itself (jobs-api.md 6.5).
struct OwnedResourceURI: Hashable, Codable, Sendable {
    /// Canonical text.
    var uri: String
    /// Decoded, `org/project` as a rule.
    var ownerPath: String
    /// Decoded last segment: secret key or disk id.
    var name: String
}
