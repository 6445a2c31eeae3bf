/// The services that the local platform runs, each on a port of its own on the loopback address.
enum ServicePart: String, CaseIterable, Sendable {
    case auth = "auth-api"
    case config = "config-api"
    case admin = "admin-api"
    case jobs = "jobs-api"
    case monitoring = "monitoring-api"
    case ingressAuth = "ingress-auth"
    case storage = "storage-api"
    case secrets = "secrets-api"
    case disk = "disk-api"

    /// Where it listens unless something else does.
    var usualPort: Int {
        switch self {
        case .auth: 8101
        case .config: 8102
        case .admin: 8103
        case .jobs: 8104
        case .monitoring: 8105
        case .ingressAuth: 8106
        case .storage: 8107
        case .secrets: 8108
        case .disk: 8109
        }
    }

    /// The name of its database; nil for a service without one.
    var database: String? {
        switch self {
        case .auth: "orrery_auth"
        case .config: "orrery_config"
        case .admin: "orrery_admin"
        case .jobs: "orrery_jobs"
        case .monitoring, .ingressAuth, .storage, .secrets, .disk: nil
        }
    }

    /// What it is told. Secrets are files in its own secrets folder, never here.
    func environment(_ stack: Stack) throws -> [String: String] {
        var settings = [
            "ORRERY_HTTP_HOST": "127.0.0.1",
            "ORRERY_HTTP_PORT": "\(stack.ports[.service(self)])",
            "ORRERY_METRICS_PORT": "\(stack.ports[.metrics(self)])",
            "ORRERY_SHUTDOWN_DELAY": "0",
            "ORRERY_SECRETS_DIR": stack.folder.file("secrets/\(rawValue)"),
            "ORRERY_AUTH_URL": stack.ports.url(.auth),
            "ORRERY_ADMIN_URL": stack.ports.url(.admin) + "/apis/admin/v1",
            "ORRERY_CONFIG_URL": stack.ports.url(.config),
            "ORRERY_JOBS_URL": stack.ports.url(.jobs),
            "ORRERY_PUBLIC_URL": stack.publicURL,
        ]
        if [.jobs, .storage, .secrets, .disk].contains(self) {
            settings["ORRERY_EVENTS_URL"] = stack.ports.url(.admin) + "/apis/events"
        }
        if let database { settings["ORRERY_POSTGRES_URL"] = stack.stores.postgresURL + "/" + database }
        if self == .auth || self == .ingressAuth { settings["ORRERY_REDIS_URL"] = stack.stores.redisURL }
        // Visitors of jobs wait for it, and must be answered within 5 s in all.
        if self == .ingressAuth { settings["ORRERY_REDIS_WAIT"] = "4" }
        if self == .jobs {
            settings["ORRERY_JOBS_INGRESS_AUTH_MIDDLEWARE"] = "\(Gateway.authMiddleware)@file"
            settings["ORRERY_JOBS_INGRESS_ERROR_PAGE_MIDDLEWARE"] = "\(Gateway.errorPageMiddleware)@file"
        }
        if [.monitoring, .secrets, .disk].contains(self) {
            settings["ORRERY_CLUSTER_NAME"] = Stack.clusterName
            settings["ORRERY_KUBECONFIG"] = stack.folder.file("kubeconfig")
        }
        if self == .storage {
            settings["ORRERY_CLUSTER_NAME"] = Stack.clusterName
            settings["ORRERY_STORAGE_ROOT"] = stack.storageFolder
        }
        if self == .disk {
            settings["ORRERY_DISK_PROJECT_LIMIT"] = "\(FirstStart.diskLimit)"
            settings["ORRERY_DOCUMENTATION"] = "true"
        }
        settings.merge(try stack.webhookEnvironment(self)) { _, new in new }
        return settings
    }

    func part(_ stack: Stack) throws -> Part {
        let url = stack.ports.url(self)
        return Part(
            name: rawValue, executable: "\(stack.binaries)/\(rawValue)", environment: try environment(stack),
            isReady: { await Probe.answers(url + "/ready") })
    }
}
