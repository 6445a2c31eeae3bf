import Foundation

/// Where an API server is and how to speak to it.
public struct KubernetesConfiguration: Sendable {
    public enum Credentials: Sendable {
        case anonymous
        case token(String)
        /// Re-read at least every minute and on 401: projected service account tokens expire.
        case tokenFile(String)
        /// PEM.
        case certificate(chain: Data, key: Data)
    }

    public enum Trust: Sendable {
        /// The system's trust store.
        case system
        /// PEM, one or several certificates.
        case authority(Data)
        /// No verification at all: only where the operator said so.
        case unverified
    }

    /// Origin, with a path prefix if the server stands behind one; no trailing slash.
    public var server: String
    public var credentials: Credentials
    public var trust: Trust
    /// The name to verify and send in TLS when it is not the host of `server`.
    public var tlsServerName: String?
    /// The namespace of the context or of the service account.
    public var namespace: String = "default"
    /// Bound on a short call, retries included.
    public var callTimeout: Duration = .seconds(30)
    public var connectTimeout: Duration = .seconds(5)
    /// A stream that brings nothing for this long is taken for dead.
    public var streamIdleTimeout: Duration = .seconds(330)
    /// How long one watch request lives before the server is asked to end it. Below `streamIdleTimeout`.
    public var watchLifetime: Duration = .seconds(280)
    public var maximumConnections = 300

    public init(server: String, credentials: Credentials = .anonymous, trust: Trust = .system) {
        var server = server
        while server.hasSuffix("/") { server.removeLast() }
        self.server = server
        self.credentials = credentials
        self.trust = trust
    }

    /// Explicit settings, for instance from a cluster's configuration document.
    /// - Parameters:
    ///   - authority: PEM text; nil means the system's trust store.
    ///   - verify: false turns verification off.
    public init(url: String, token: String? = nil, tokenFile: String? = nil, authority: String? = nil, verify: Bool = true) {
        self.init(
            server: url, credentials: token.map { .token($0) } ?? tokenFile.map { .tokenFile($0) } ?? .anonymous,
            trust: !verify ? .unverified : authority.map { .authority(Data($0.utf8)) } ?? .system)
    }

    /// The service account that Kubernetes mounts into every pod.
    /// - Throws: `KubernetesError.configuration` outside a pod.
    public static func inCluster(
        environment: [String: String] = ProcessInfo.processInfo.environment,
        folder: String = "/var/run/secrets/kubernetes.io/serviceaccount"
    ) throws(KubernetesError) -> Self {
        guard let host = environment["KUBERNETES_SERVICE_HOST"], let port = environment["KUBERNETES_SERVICE_PORT"] else {
            throw .configuration("not inside a Kubernetes pod (KUBERNETES_SERVICE_HOST is not set) and no kubeconfig was given")
        }
        guard let authority = FileManager.default.contents(atPath: folder + "/ca.crt") else {
            throw .configuration("the service account certificate \(folder)/ca.crt cannot be read")
        }
        let literal = host.contains(":") ? "[\(host)]" : host
        var configuration = Self(
            server: "https://\(literal):\(port)", credentials: .tokenFile(folder + "/token"), trust: .authority(authority))
        if let name = FileManager.default.contents(atPath: folder + "/namespace"), !name.isEmpty {
            configuration.namespace = String(decoding: name, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        }
        return configuration
    }
}
