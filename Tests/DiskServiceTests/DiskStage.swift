import AuthService
import Foundation
import Identity
import Kubernetes
import Logging
import NIOHTTP1
import PlatformClients
import PlatformModel
import ServiceKit
import ServiceLifecycle
import TestSupport
import Testing

@testable import DiskService
@testable import LocalCluster

/// A cluster's API in this process, with the controller that gives claims their volumes, and without what runs pods.
struct DiskCluster: PlatformService {
    static let name = "orrery-cluster"
    static var errorRenderer: any ErrorRenderer { StatusErrors() }

    let api: ClusterAPI
    let token: TokenAuthenticator
    let volumes: VolumeController

    init(_ context: ServiceContext) async throws {
        let folder = try context.settings.string("cluster.folder")
        let store = try ObjectStore(path: folder + "/state.sqlite", logger: context.logger)
        context.run(StoreCloser(store: store))
        api = try await ClusterAPI(store: store, allowsFaults: true, logger: context.logger)
        volumes = VolumeController(store: store, folder: folder, logger: context.logger)
        token = TokenAuthenticator(Secret(DiskStage.clusterToken))
    }

    var authenticator: (any Authenticator)? { token }
    var background: [any Service] { api.loops + [volumes] }
    func register(on router: PlatformRouter) { api.register(on: router) }
}

/// disk-api between a genuine auth-api and a cluster. alice writes in acme/vision and acme/sound, rita reads acme/vision, bob writes in
/// beta/other, carol owns her personal project acme/carol, root manages everything.
struct DiskStage: Sendable {
    static let clusterToken = "a-token-of-the-tests"
    static let acme = "org_name=acme&project_name=vision"
    private static let turnstile = Turnstile(slots: 3)

    let disks: TestService
    let auth: TestService
    let kubernetes: TestService
    let client: KubernetesClient
    let signer: TokenSigner
    let folder: String

    /// - Parameter limit: bytes a project may have.
    static func with(limit: Int = 20 << 20, settings: [String: String] = [:], _ body: (DiskStage) async throws -> Void) async throws {
        try await turnstile.pass { try await run(["disk.project.limit": "\(limit)"].merging(settings) { $1 }, body) }
    }

    private static func run(_ settings: [String: String], _ body: (DiskStage) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("disks-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let pem = TokenSigner.generatePEM()
        let signer = try await TokenSigner(pem: pem)
        try await withService(DiskCluster.self, settings: ["postgres.url": "none", "cluster.folder": folder]) { (kubernetes) async throws in
            let client = try KubernetesClient(
                KubernetesConfiguration(url: kubernetes.url, token: clusterToken),
                logger: Logger(label: "c") { _ in SwiftLogNoOpLogHandler() })
            let outcome: Result<Void, any Error>
            do {
                try await withService(AuthService.self, settings: ["auth.signing-keys": pem]) { (auth) async throws in
                    try await people(auth, signer)
                    let token = try await signer.sign(
                        TokenClaims(name: PrincipalName("disk-api"), kind: .cluster, cluster: "default"))
                    let own = try settings.merging(
                        [
                            "auth.url": auth.url, "service.token": token, "kubeconfig": kubeconfig(kubernetes.url, folder),
                            "postgres.url": "none",
                        ]
                    ) { given, _ in given }
                    try await service(own) { (disks) async throws in
                        try await body(
                            DiskStage(disks: disks, auth: auth, kubernetes: kubernetes, client: client, signer: signer, folder: folder))
                    }
                }
                outcome = .success(())
            } catch {
                outcome = .failure(error)
            }
            try? await client.shutdown()
            try outcome.get()
        }
    }

    private static func service(_ settings: [String: String], _ body: (TestService) async throws -> Void) async throws {
        let usual = ["cluster.name": "default", "service.token": "unused"].merging(settings) { $1 }
        try await withService(DiskService.self, settings: usual, authenticator: Identity.authenticator, body)
    }

    /// Another process of the same service.
    func another(_ settings: [String: String] = [:], _ body: (TestService) async throws -> Void) async throws {
        let own = try ["auth.url": auth.url, "kubeconfig": Self.kubeconfig(kubernetes.url, folder), "postgres.url": "none"]
        try await Self.service(own.merging(settings) { $1 }, body)
    }

    private static func kubeconfig(_ url: String, _ folder: String) throws -> String {
        let text = """
            apiVersion: v1
            kind: Config
            clusters: [{name: c, cluster: {server: "\(url)"}}]
            users: [{name: u, user: {token: \(clusterToken)}}]
            contexts: [{name: x, context: {cluster: c, user: u}}]
            current-context: x
            """
        try text.write(toFile: folder + "/kubeconfig", atomically: true, encoding: .utf8)
        return folder + "/kubeconfig"
    }

    private static func people(_ auth: TestService, _ signer: TokenSigner) async throws {
        let admin = AuthClient(
            http: auth.http, baseURL: auth.url, token: Secret(try await signer.sign(TokenClaims(name: PrincipalName("admin")))))
        let grants: [(String, String, Action)] = [
            ("alice", "disk://default/acme/vision", .write), ("alice", "disk://default/acme/sound", .write),
            ("rita", "disk://default/acme/vision", .read), ("bob", "disk://default/beta/other", .write),
            ("carol", "disk://default/acme/carol", .write), ("root", "disk:", .manage),
        ]
        for name in ["alice", "rita", "bob", "carol", "root", "idle", "alice/service-accounts/ci"] {
            try await admin.createUser(PrincipalName(name))
        }
        for (name, uri, action) in grants { try await admin.grant([Permission(ResourceURI(uri), action)], to: PrincipalName(name)) }
        try await admin.grant(
            [Permission(ResourceURI("disk://default/acme/vision"), .write)], to: PrincipalName("alice/service-accounts/ci"))
    }

    func grant(_ uri: String, _ action: Action, to name: String) async throws {
        let admin = AuthClient(http: auth.http, baseURL: auth.url, token: Secret(try await token("admin")))
        try await admin.grant([Permission(ResourceURI(uri), action)], to: PrincipalName(name))
    }

    // MARK: Asking

    func token(_ name: String) async throws -> String { try await signer.sign(TokenClaims(name: PrincipalName(name))) }

    func call(_ method: HTTPMethod, _ path: String = "", as name: String? = "alice", _ body: JSON? = nil) async throws -> TestAnswer {
        let token: String? = if let name { try await token(name) } else { nil }
        return try await disks.call(method, "/api/v1/disk" + path, token: token, body: body)
    }

    func make(
        _ bytes: Int64 = 500, as name: String = "alice", org: String = "acme", project: String = "vision", _ more: [String: JSON] = [:]
    ) async throws -> TestAnswer {
        let body: [String: JSON] = ["storage": .integer(bytes), "org_name": .string(org), "project_name": .string(project)]
        return try await call(.POST, as: name, .object(body.merging(more) { $1 }))
    }

    /// The id of a new disk.
    func made(
        _ bytes: Int64 = 500, as name: String = "alice", org: String = "acme", project: String = "vision", _ more: [String: JSON] = [:]
    ) async throws -> String {
        let answer = try await make(bytes, as: name, org: org, project: project, more)
        #expect(answer.status == 201, "\(answer.body)")
        return try #require(try answer.object()["id"] as? String)
    }

    func ids(_ query: String = acme, as name: String = "alice") async throws -> [String] {
        let answer = try await call(.GET, "?" + query, as: name)
        #expect(answer.status == 200, "\(answer.body)")
        return try answer.json([JSON].self).compactMap { $0["id"]?.string }.sorted()
    }

    func get(_ disk: String, _ query: String = acme, as name: String? = "alice") async throws -> TestAnswer {
        try await call(.GET, "/\(disk)?\(query)", as: name)
    }

    func delete(_ disk: String, _ query: String = acme, as name: String? = "alice") async throws -> TestAnswer {
        try await call(.DELETE, "/\(disk)?\(query)", as: name)
    }

    // MARK: Looking

    static let namespace = JobPlace(org: "acme", project: "vision").namespace

    func claim(_ id: String, in namespace: String = namespace) async throws -> PersistentVolumeClaim? {
        try await client.find(.persistentVolumeClaims, id, in: namespace)
    }

    /// Returns once the claim is as wanted.
    func wait(_ id: String, in namespace: String = namespace, _ wanted: (PersistentVolumeClaim?) -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(90)
        while true {
            let found = try await claim(id, in: namespace)
            if wanted(found) { return }
            guard .now < deadline else { throw SettingError("\(id) does not become as it should: \(String(describing: found))") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    func names() async throws -> [DiskNaming] { try await client.list(.diskNamings).items }

    /// How often the cluster was asked for something of a path.
    func askings(_ part: String) -> Int {
        kubernetes.log.entries("request").filter { ($0["path"] as? String)?.contains(part) == true }.count
    }

    /// A pod of a project that has disks, on no node.
    func pod(_ disks: String..., name: String = "p", in namespace: String = namespace) async throws -> Pod {
        var container = Container(name: "main", image: "busybox")
        container.command = ["true"]
        var spec = PodSpec(containers: [container])
        spec.volumes = disks.map { disk in
            var volume = Volume(name: disk)
            volume.persistentVolumeClaim = ClaimVolume(claimName: disk)
            return volume
        }
        return try await client.create(.pods, Pod(metadata: ObjectMeta(name: name), spec: spec), in: namespace)
    }

    func setPhase(_ phase: String, of pod: String, in namespace: String = namespace) async throws {
        try await client.patch(.pods, pod, in: namespace, subresource: "status", .merge(["status": ["phase": .string(phase)]]))
    }

    /// Makes the cluster answer some requests with a status.
    func fault(_ verb: String, _ path: String, status: Int, count: Int = 1) async throws {
        let rule: JSON = .object([
            "match": .object(["verb": .string(verb), "path": .string(path)]), "action": .string("status"),
            "status": .integer(Int64(status)),
            "count": .integer(Int64(count)),
        ])
        let answer = try await kubernetes.put("/faults", token: Self.clusterToken, JSON.object(["rules": .array([rule])]))
        #expect(answer.status < 300, "\(answer.body)")
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral, ExpressibleByFloatLiteral,
    ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(nilLiteral: ()) { self = .null }
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSON)...) { self = .object(Dictionary(elements) { $1 }) }
}
