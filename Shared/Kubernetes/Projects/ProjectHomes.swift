/// Which Kubernetes keeps what belongs to a project: the host in the project's namespace, or the project's own virtual cluster. Looked up every
/// time, so that a virtual cluster counts from the moment it is there.
public struct ProjectHomes: Sendable {
    /// The Secret in a project's namespace that says that it has a virtual cluster, and leads there.
    public static let virtualClusterSecret = "vc-vcluster"

    public let host: KubernetesClient
    private let virtual: VirtualClusters

    /// Where a project's objects are.
    public struct Home: Sendable {
        public let client: KubernetesClient
        public let namespace: String
        public let isVirtual: Bool
    }

    public init(host: KubernetesClient, virtual: VirtualClusters) {
        self.host = host
        self.virtual = virtual
    }

    /// - Parameter namespace: the project's, on the host; it need not stand.
    /// - Throws: `KubernetesError` when the host cannot be asked or the virtual cluster cannot be trusted (nothing falls back to the host),
    ///   else what `body` throws.
    public func with<T: Sendable>(_ namespace: String, _ body: (Home) async throws -> T) async throws -> T {
        guard let secret = try await host.find(.secrets, Self.virtualClusterSecret, in: namespace) else {
            return try await body(Home(client: host, namespace: namespace, isVirtual: false))
        }
        return try await virtual.with(secret, of: namespace) { client in
            try await body(Home(client: client, namespace: "default", isVirtual: true))
        }
    }
}
