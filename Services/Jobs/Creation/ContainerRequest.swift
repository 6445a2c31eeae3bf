import PlatformModel

/// The container fields of a request, checked and made canonical (jobs-api.md 6.1).
struct ContainerRequest: Hashable, Sendable {
    let value: JobContainer
    /// Variable names as they came.
    let environmentOrder: [String]

    /// Reads the fields from the object that holds them; nil when one of them is wrong, which `fields.finish()` then tells.
    init?(_ fields: inout Fields, rules: JobRequestRules, preset: ResourcePreset?) {
        let cluster = rules.scope.cluster
        let image = fields.required("image") { value throws(Problem) in try Check.text(value) }
        let entrypoint = fields.optional("entrypoint", Self.command)
        let command = fields.optional("command", Self.command)
        let env = fields.optional("env") { value throws(Problem) in try Check.map(value, Check.anyText) }
        let http = fields.optional("http", Self.http)
        let tty = fields.optional("tty", Check.bool)
        let workingDirectory = fields.optional("working_dir", Self.workingDirectory)
        let secretEnv = fields.optional("secret_env") { value throws(Problem) in
            try Check.map(value) { item throws(Problem) in try MountURI.owned(item, scheme: .secret, cluster: cluster) }
        }
        let secretVolumes = fields.optional("secret_volumes") { value throws(Problem) in
            try Self.distinct(
                Check.list(value) { item throws(Problem) in try Self.secretVolume(item, cluster: cluster) }, path: \.path)
        }
        let diskVolumes = fields.optional("disk_volumes") { value throws(Problem) in
            try Self.distinct(Check.list(value) { item throws(Problem) in try Self.diskVolume(item, cluster: cluster) }, path: \.path)
        }
        let volumes = fields.optional("volumes") { value throws(Problem) in
            try Self.distinct(Check.list(value) { item throws(Problem) in try Self.volume(item, cluster: cluster) }, path: \.path)
        }
        let resources: JobResources?
        if let preset {
            // Only `shm` may be asked for, which was checked when the preset was resolved.
            let shm = fields.optional("resources") { value throws(Problem) in
                var inner = try Fields(of: value)
                let shm = inner.optional("shm", Check.bool)
                try inner.finish()
                return shm
            }
            resources = preset.jobResources(shm: (shm ?? nil) ?? false)
        } else {
            resources = fields.required("resources") { value throws(Problem) in
                try ResourcesRequest.check(value, orchestrator: rules.orchestrator)
            }
        }
        guard let image, let resources else { return nil }
        environmentOrder = (env ?? []).map(\.key) + (secretEnv ?? []).map(\.key)
        value = JobContainer(
            image: image, entrypoint: entrypoint, command: command, env: Self.dictionary(env), resources: resources, http: http,
            tty: tty ?? false, secretEnv: Self.dictionary(secretEnv), secretVolumes: secretVolumes ?? [],
            diskVolumes: diskVolumes ?? [], volumes: volumes ?? [], workingDir: workingDirectory)
    }

    private static func dictionary<T>(_ pairs: [(key: String, value: T)]?) -> [String: T] {
        Dictionary((pairs ?? []).map { ($0.key, $0.value) }) { _, last in last }
    }

    private static func command(_ value: OrderedJSON) throws(Problem) -> String {
        let text = try Check.text(value)
        do {
            _ = try ShellWords.split(text)
        } catch {
            throw .message("\(error)")
        }
        return text
    }

    private static func workingDirectory(_ value: OrderedJSON) throws(Problem) -> String {
        let text = try Check.text(value)
        guard text.hasPrefix("/") else { throw .message("Working directory must be absolute: '\(text)'") }
        return text
    }

    private static func http(_ value: OrderedJSON) throws(Problem) -> JobContainer.HTTP {
        var fields = try Fields(of: value)
        let port = fields.required("port") { value throws(Problem) in try Check.integer(value, atLeast: 0, atMost: 65535) }
        let path = fields.optional("health_check_path") { value throws(Problem) in try Check.text(value) }
        let auth = fields.optional("requires_auth", Check.bool)
        try fields.finish()
        return JobContainer.HTTP(port: Int(port ?? 0), healthCheckPath: path ?? "/", requiresAuth: auth ?? false)
    }
}

// MARK: - Mounts

extension ContainerRequest {
    private static func distinct<T>(_ mounts: [T], path: KeyPath<T, String>) throws(Problem) -> [T] {
        try MountPath.checkDistinct(mounts.map { $0[keyPath: path] })
        return mounts
    }

    private static func volume(_ value: OrderedJSON, cluster: String) throws(Problem) -> JobContainer.Volume {
        var fields = try Fields(of: value)
        let uri = fields.required("src_storage_uri") { value throws(Problem) in try MountURI.storage(value, cluster: cluster) }
        let path = fields.required("dst_path", MountPath.check)
        let readOnly = fields.optional("read_only", Check.bool)
        try fields.finish()
        guard let uri, let path else { throw .message("is required") }
        return JobContainer.Volume(sourceURI: uri, path: path, readOnly: readOnly ?? true)
    }

    private static func diskVolume(_ value: OrderedJSON, cluster: String) throws(Problem) -> JobContainer.DiskVolume {
        var fields = try Fields(of: value)
        let uri = fields.required("src_disk_uri") { value throws(Problem) in
            try MountURI.owned(value, scheme: .disk, cluster: cluster)
        }
        let path = fields.required("dst_path", MountPath.check)
        let readOnly = fields.optional("read_only", Check.bool)
        try fields.finish()
        guard let uri, let path else { throw .message("is required") }
        return JobContainer.DiskVolume(sourceURI: uri, path: path, readOnly: readOnly ?? true)
    }

    private static func secretVolume(_ value: OrderedJSON, cluster: String) throws(Problem) -> JobContainer.SecretVolume {
        var fields = try Fields(of: value)
        let uri = fields.required("src_secret_uri") { value throws(Problem) in
            try MountURI.owned(value, scheme: .secret, cluster: cluster)
        }
        let path = fields.required("dst_path", MountPath.check)
        try fields.finish()
        guard let uri, let path else { throw .message("is required") }
        return JobContainer.SecretVolume(sourceURI: uri, path: path)
    }
}
