import PlatformModel

/// The principals that are there before anybody made them, with no more than each needs.
enum BuiltInPrincipals {
    struct Seed: Sendable {
        let name: PrincipalName
        let permissions: [Permission]

        init(_ name: String, manage: [ResourceScheme] = [], read: [ResourceScheme] = [], _ more: [Permission] = []) {
            self.name = PrincipalName(checked: name)
            permissions = manage.map { Permission(ResourceURI($0), .manage) } + read.map { Permission(ResourceURI($0), .read) } + more
        }
    }

    /// The control plane's own services; their tokens say so.
    static let services: Set<String> = ["config-api", "admin-api", "jobs-api", "monitoring-api"]

    static let all: [Seed] = [
        Seed("admin", manage: ResourceScheme.allCases),
        Seed("public"),
        // Used as service tokens by clients of the published protocol.
        Seed("compute", manage: [.user, .role, .token, .job, .cluster]),
        Seed("cluster", manage: [.user, .role, .token, .job, .cluster]),
        // Makes the principals of clusters and their tokens, so it reads what those read.
        Seed("config-api", manage: [.cluster], read: [.user, .job, .app], [Permission(ResourceURI(.user, ["cluster"]), .manage)]),
        // Makes users and the roles of organizations, clusters and projects, so it passes on everything those hold.
        Seed("admin-api", manage: [.user, .role, .cluster, .org, .project] + ResourceScheme.projectResources),
        // Issues the tokens that jobs carry, and reads the clusters with their credentials.
        Seed("jobs-api", manage: [.user, .token, .job, .cluster], read: [.org]),
        Seed("monitoring-api", read: [.user, .job, .cluster, .app]),
        // Asks what stands behind a host. Not among the services above: it has no business with the credentials of clusters.
        Seed("ingress-auth", read: [.user, .job, .cluster, .app]),
        // Measures the projects of its cluster, whose list admin-api keeps; what files are concerned it asks in its callers' names.
        Seed("storage-api", read: [.cluster]),
        // They ask in their callers' names alone.
        Seed("secrets-api"),
        Seed("disk-api"),
    ]

    /// What the services inside a cluster hold from the start, on their own cluster alone; nil for any other principal.
    static func permissions(of principal: PrincipalName) -> [Permission]? {
        guard let cluster = principal.servedCluster else { return nil }
        return [Permission(ResourceURI(.user), .read)]
            + [ResourceScheme.cluster, .job, .app].map { Permission(ResourceURI($0, cluster), .read) }
    }

    /// Creates what is missing and adds missing grants; what an operator added stays. The names that changed.
    static func seed(_ store: PrincipalStore) async throws -> [String] {
        try await store.pool.transaction { connection in
            // Replicas start together.
            _ = try await connection.query("SELECT pg_advisory_xact_lock(hashtext('auth-api seed'))")
            var changed: [String] = []
            for seed in all {
                let created = try await store.create(seed.name, on: connection, builtin: true)
                try await connection.execute("UPDATE principals SET builtin = true WHERE name = \(seed.name.text) AND NOT builtin")
                let granted = try await GrantStore.insert(seed.permissions, to: seed.name, on: connection)
                if granted { try await ACLOutbox.touch([seed.name.text], on: connection) }
                if created || granted { changed.append(seed.name.text) }
            }
            return changed
        }
    }
}
