import Foundation
import Hummingbird
import Kubernetes
import LocalCertificates
import Logging
import ServiceKit
import ServiceLifecycle
import TestSupport
import WebSocket

@testable import LocalCluster

/// The embedded cluster's API in this process: no podman.
public struct ClusterInProcess: PlatformService {
    public static let name = "orrery-cluster"
    public static let token = "a-token-of-the-tests"
    public static var errorRenderer: any ErrorRenderer { StatusErrors() }

    private let api: ClusterAPI
    public let authenticator: (any Authenticator)?
    public let certificate: ServerCertificate?

    public init(_ context: ServiceContext) async throws {
        let folder = try context.settings.string("cluster.folder")
        let store = try ObjectStore(path: folder + "/state.sqlite", logger: context.logger)
        context.run(StoreCloser(store: store))
        api = try await ClusterAPI(store: store, allowsFaults: true, logger: context.logger)
        // A virtual cluster knows its clients by their certificates, and is spoken to over TLS.
        let isVirtual = try context.settings.bool("cluster.virtual", default: false)
        authenticator = isVirtual ? Anybody() : TokenAuthenticator(Secret(Self.token))
        let certificates = ServerCertificates.cluster(folder: folder)
        try certificates.renew()
        certificate = isVirtual ? try certificates.server(logger: context.logger) : nil
    }

    private struct Anybody: Authenticator {
        func caller(_ request: Request, logger: Logger) async throws -> Caller? { Caller(name: "somebody", token: "") }
    }

    public var background: [any Service] { api.loops }
    public func register(on router: PlatformRouter) { api.register(on: router) }

    /// Runs one for the time of `body`.
    public static func with<T: Sendable>(isVirtual: Bool = false, _ body: (TestService, Folder) async throws -> T) async throws -> T {
        let folder = Folder()
        let settings = ["postgres.url": "none", "cluster.folder": folder.path, "cluster.virtual": "\(isVirtual)"]
        return try await withService(ClusterInProcess.self, settings: settings) { try await body($0, folder) }
    }

    /// Runs one that serves as a project's virtual cluster.
    public static func virtual<T: Sendable>(_ body: (VirtualCluster) async throws -> T) async throws -> T {
        try await with(isVirtual: true) { (service, folder) async throws in
            let url = service.url.replacingOccurrences(of: "http://", with: "https://")
            let authority = try Data(contentsOf: URL(fileURLWithPath: ServerCertificates.cluster(folder: folder.path).authorityPath))
            let client = try KubernetesClient(
                KubernetesConfiguration(server: url, trust: .authority(authority)), logger: TestLog().logger("test"))
            let outcome: Result<T, any Error>
            do {
                let secret = try folder.virtualClusterSecret(url: url)
                outcome = .success(try await body(VirtualCluster(plainURL: service.url, url: url, client: client, secret: secret)))
            } catch {
                outcome = .failure(error)
            }
            try await client.shutdown()
            return try outcome.get()
        }
    }

    public struct VirtualCluster: Sendable {
        public let plainURL: String
        public let url: String
        /// Our own client of it.
        public let client: KubernetesClient
        /// What makes it a project's.
        public let secret: KubernetesSecret
    }

    /// Gone with the test.
    public final class Folder: Sendable {
        public let path: String

        public init() {
            path = FileManager.default.temporaryDirectory.appendingPathComponent("cluster-\(UUID().uuidString)").path
            try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        public func write(_ text: String, to name: String) throws -> String {
            try text.write(toFile: path + "/" + name, atomically: true, encoding: .utf8)
            return path + "/" + name
        }

        /// The Secret by which a project has this virtual cluster; the server's own certificate serves as the client's.
        public func virtualClusterSecret(url: String, authority: Data? = nil) throws -> KubernetesSecret {
            let certificates = ServerCertificates.cluster(folder: path)
            func read(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }
            return KubernetesSecret(
                metadata: ObjectMeta(name: "vc-vcluster"), type: "Opaque",
                data: [
                    "config": Data(Self.kubeconfig(url: url).utf8),
                    "certificate-authority": try authority ?? read(certificates.authorityPath),
                    "client-certificate": try read(certificates.certificatePath), "client-key": try read(certificates.keyPath),
                ])
        }

        public static func kubeconfig(url: String) -> String {
            """
            apiVersion: v1
            kind: Config
            clusters: [{name: c, cluster: {server: "\(url)"}}]
            users: [{name: u, user: {token: \(ClusterInProcess.token)}}]
            contexts: [{name: x, context: {cluster: c, user: u}}]
            current-context: x
            """
        }
    }
}
