import Foundation
import Hummingbird
import Kubernetes
import LocalCertificates
import Logging
import ServiceKit
import ServiceLifecycle
import WebSocket

/// orrery-cluster: a cluster of one machine. Kubernetes' API over a file, its pods run by podman.
public struct ClusterService: PlatformService {
    public static let name = "orrery-cluster"
    /// Where the API listens unless the settings say otherwise; the executable sees to it.
    public static let usualHost = "127.0.0.1"
    public static let usualPort = 6445
    public static var errorRenderer: any ErrorRenderer { StatusErrors() }

    /// Objects of all kinds.
    let api: ClusterAPI
    /// What answers for the streams of pods.
    let connections: (any PodConnections)?
    /// What runs the pods.
    let agent: (any NodeAgent)?
    /// Ready when all of them are.
    let checks: [ReadinessCheck]
    /// Loops of the parts, in the order of their start.
    let loops: [any Service]
    /// The API's own; read again when it is renewed.
    public let certificate: ServerCertificate?
    private let token: TokenAuthenticator

    public init(_ context: ServiceContext) async throws {
        let settings = try ClusterSettings(context.settings)
        let logger = context.logger
        try FileManager.default.createDirectory(
            atPath: settings.folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let store = try ObjectStore(path: settings.folder + "/state.sqlite", logger: logger)
        context.run(StoreCloser(store: store))
        token = TokenAuthenticator(settings.token)
        api = try await ClusterAPI(store: store, allowsFaults: settings.faults, logger: logger)
        let certificates = ServerCertificates.cluster(folder: settings.folder, hosts: [settings.host])
        try certificates.renew()
        certificate = try certificates.server(logger: logger)
        if settings.port > 0 {
            try KubeconfigFile(folder: settings.folder).write(
                port: settings.port, authority: try certificates.authority, token: settings.token.value)
        }
        let client = Podman.makeClient()
        context.run(StreamClient(client: client))
        connections = StreamConnections(
            store: store, podman: Podman(socketPath: EngineLayout(clusterFolder: settings.folder).socket, http: client),
            folder: settings.folder)
        let kubelet = try Kubelet.assemble(
            folder: settings.folder, mirrors: settings.mirrors, keepsPods: settings.keepsPods, store: store, logger: logger)
        agent = kubelet
        checks = [ReadinessCheck(name: "kubelet") { await kubelet.isAnswering ? nil : "podman does not answer yet" }]
        loops =
            api.loops + [
                EndpointsController(store: store, logger: logger), VolumeController(store: store, folder: settings.folder, logger: logger),
                CertificateKeeper(certificates: certificates, logger: logger), kubelet,
            ]
    }

    /// What this machine lacks for running pods: one sentence each.
    public static func missingForPods(folder: String) async -> [String] { await PodmanRequirements.missing(clusterFolder: folder) }

    public var authenticator: (any Authenticator)? { token }
    public var background: [any Service] { loops }

    public func register(on router: PlatformRouter) {
        var api = api
        api.connections = connections
        api.agent = agent
        api.checks = checks
        api.register(on: router)
    }
}

/// The settings of the cluster.
struct ClusterSettings: Sendable {
    let folder: String
    let host: String
    /// 0: any free one, for tests; no kubeconfig is written then.
    let port: Int
    let token: Secret
    let faults: Bool
    /// `registry.local=127.0.0.1:5000,…`: where images of a registry come from.
    let mirrors: String
    /// Whether pods outlive a graceful stop.
    let keepsPods: Bool

    /// - Throws: ``SettingError``.
    init(_ settings: Settings) throws {
        folder = try settings.string("cluster.folder")
        host = try settings.string("http.host", default: ClusterService.usualHost)
        port = try settings.int("http.port", default: ClusterService.usualPort)
        token = try settings.secret("cluster.token")
        guard token.value.utf8.count >= 16 else { throw SettingError("The cluster's token is shorter than 16 characters.") }
        faults = try settings.bool("cluster.faults", default: false)
        mirrors = try settings.string("cluster.mirrors", default: "")
        keepsPods = try settings.bool("cluster.keep.pods", default: true)
    }
}
