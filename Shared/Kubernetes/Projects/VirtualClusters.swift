import Foundation
import Logging
import ServiceLifecycle

/// Connections to the virtual clusters of projects, the least recently used given up beyond a limit. Their keys stay in memory, and nothing but
/// TLS by the given authority is spoken. To be run as a service, which closes them at the end.
public actor VirtualClusters: Service {
    private final class Connection {
        let client: KubernetesClient
        /// The version of the Secret that it was made from.
        let version: String
        var users = 0
        var lastUse = 0

        init(client: KubernetesClient, version: String) {
            self.client = client
            self.version = version
        }
    }

    private let limit: Int
    private let callTimeout: Duration
    private let logger: Logger
    private var open: [String: Connection] = [:]
    /// Still in use by somebody.
    private var givenUp: [ObjectIdentifier: Connection] = [:]
    private var clock = 0

    /// - Parameters:
    ///   - limit: how many connections are kept, at least 1.
    ///   - callTimeout: how long a virtual cluster may take for a call.
    public init(limit: Int, callTimeout: Duration, logger: Logger) {
        self.limit = max(1, limit)
        self.callTimeout = callTimeout
        self.logger = logger
    }

    /// Closes all once nothing uses them any more.
    public func run() async throws {
        try? await gracefulShutdown()
        await closeAll()
    }

    /// Those in use are closed when they are given back.
    public func closeAll() async {
        for namespace in open.keys { await giveUp(namespace) }
    }

    /// How many are kept.
    public var count: Int { open.count }

    /// Lends the connection to a virtual cluster.
    /// - Parameters:
    ///   - secret: `vc-vcluster` of the project's namespace: a kubeconfig under `config`, and `certificate-authority`, `client-certificate`
    ///     and `client-key` in PEM.
    ///   - namespace: the project's, on the host.
    /// - Throws: `KubernetesError.configuration` for a Secret that leads nowhere, else what `body` throws.
    public nonisolated func with<T: Sendable>(
        _ secret: KubernetesSecret, of namespace: String, _ body: (KubernetesClient) async throws -> T
    ) async throws -> T {
        let client = try await lend(secret, of: namespace)
        let outcome: Result<T, any Error>
        do { outcome = .success(try await body(client)) } catch { outcome = .failure(error) }
        await takeBack(client)
        return try outcome.get()
    }

    private func lend(_ secret: KubernetesSecret, of namespace: String) async throws -> KubernetesClient {
        let version = "\(secret.metadata.uid ?? "")/\(secret.metadata.resourceVersion ?? "")"
        if let standing = open[namespace], standing.version != version { await giveUp(namespace) }
        clock += 1
        if let standing = open[namespace] {
            standing.users += 1
            standing.lastUse = clock
            return standing.client
        }
        let connection = Connection(client: try KubernetesClient(try configuration(secret), logger: logger), version: version)
        connection.users = 1
        connection.lastUse = clock
        open[namespace] = connection
        while open.count > limit, let oldest = open.min(by: { $0.value.lastUse < $1.value.lastUse })?.key { await giveUp(oldest) }
        return connection.client
    }

    private func takeBack(_ client: KubernetesClient) async {
        let id = ObjectIdentifier(client)
        guard let connection = givenUp[id] ?? open.values.first(where: { $0.client === client }) else { return }
        connection.users -= 1
        guard connection.users == 0, givenUp.removeValue(forKey: id) != nil else { return }
        try? await client.shutdown()
    }

    /// What is in use is closed when it is given back.
    private func giveUp(_ namespace: String) async {
        guard let connection = open.removeValue(forKey: namespace) else { return }
        if connection.users > 0 {
            givenUp[ObjectIdentifier(connection.client)] = connection
        } else {
            try? await connection.client.shutdown()
        }
    }

    private func configuration(_ secret: KubernetesSecret) throws(KubernetesError) -> KubernetesConfiguration {
        func part(_ name: String) throws(KubernetesError) -> Data {
            guard let data = secret.data?[name], !data.isEmpty else {
                throw .configuration("the Secret of the virtual cluster has no \(name)")
            }
            return data
        }
        let server = try KubernetesConfiguration.kubeconfig(text: String(decoding: try part("config"), as: UTF8.self)).server
        // Without TLS there is nobody to present the certificate to, and nothing says who answers.
        guard server.hasPrefix("https://") else { throw .configuration("the virtual cluster's server is not an https URL") }
        var configuration = KubernetesConfiguration(
            server: server, credentials: .certificate(chain: try part("client-certificate"), key: try part("client-key")),
            trust: .authority(try part("certificate-authority")))
        configuration.callTimeout = callTimeout
        configuration.maximumConnections = 20
        return configuration
    }
}
