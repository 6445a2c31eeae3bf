import AsyncHTTPClient
import Foundation
import Kubernetes
import LocalCertificates
import NIOCore
import NIOSSL
import ServiceKit
import TestSupport
import Testing

@testable import StorageService

/// A storage-api whose admission webhook is switched on, and a client that trusts its authority.
struct Webhook: Sendable {
    let root: String
    let port: Int
    private let client: HTTPClient

    static func run(
        _ backends: String = #"[{"host_path": {"path": "/var/exports"}}]"#, _ body: (Webhook) async throws -> Void
    ) async throws {
        try await run(backends, objects: ["namespaces/space": namespace()]) { webhook, _ in try await body(webhook) }
    }

    /// - Parameter objects: what Kubernetes has, by the ends of their paths.
    static func run(
        _ backends: String = #"[{"host_path": {"path": "/var/exports"}}]"#, settings: [String: String] = [:],
        objects: [String: JSONValue], _ body: (Webhook, TestService) async throws -> Void
    ) async throws {
        let text = String(decoding: try JSONEncoder().encode(JSONValue.object(objects)), as: UTF8.self)
        try await withService(ObjectAPI.self, settings: ["postgres.url": "none", "objects": text]) { (api) async throws in
            try await run(backends, settings: settings, api) { try await body($0, api) }
        }
    }

    private static func run(
        _ backends: String, settings: [String: String], _ api: TestService, _ body: (Webhook) async throws -> Void
    ) async throws {
        let folder = NSTemporaryDirectory() + "webhook-" + UUID().uuidString.lowercased()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder + "/root", withIntermediateDirectories: true)
        let certificates = ServerCertificates(folder: folder, name: "webhook")
        try certificates.renew()
        let kubeconfig = try KubernetesConfiguration(server: api.url).kubeconfig(name: "test")
        try kubeconfig.write(toFile: folder + "/kubeconfig", atomically: true, encoding: .utf8)
        let own = [
            "kubeconfig": folder + "/kubeconfig", "postgres.url": "none", "auth.url": "http://127.0.0.1:9", "service.token": "none",
            "cluster.name": "default",
            "storage.root": folder + "/root", "storage.admission.port": "0", "storage.admission.certificate": certificates.certificatePath,
            "storage.admission.key": certificates.keyPath, "storage.backends": backends,
        ].merging(settings) { _, given in given }
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(certificates.authority.utf8)))
        let client = HTTPClient(configuration: .init(tlsConfiguration: tls))
        let outcome: Result<Void, any Error>
        do {
            try await withService(StorageService.self, settings: own, authenticator: TestAuthenticator.factory("alice")) { service in
                let port = try await Self.port(service.log)
                try await body(Webhook(root: folder + "/root", port: port, client: client))
            }
            outcome = .success(())
        } catch { outcome = .failure(error) }
        try await client.shutdown()
        try outcome.get()
    }

    /// What the log tells once it listens.
    private static func port(_ log: TestLog) async throws -> Int {
        let end = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < end {
            if let port = log.entries("The admission webhook listens").first?["port"] { return try #require(Int("\(port)")) }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw CancellationError()
    }

    // MARK: Pods

    static func entry(path: String = "/var/mount-volume", uri: String = "storage://default/org/proj", mode: String = "rw") -> String {
        #"{"mount_path": "\#(path)", "storage_uri": "\#(uri)", "mount_mode": "\#(mode)"}"#
    }

    static func item(path: String = "/var/mount-volume", uri: String = "storage://default/org/proj", mode: String = "rw") -> String {
        "[\(entry(path: path, uri: uri, mode: mode))]"
    }

    static func labels(org: String = "org", project: String = "proj") -> [String: JSONValue] {
        ["platform.apolo.us/org": .string(org), "platform.apolo.us/project": .string(project)]
    }

    static func namespace(org: String = "org", project: String = "proj") -> JSONValue {
        ["metadata": ["name": "space", "labels": .object(labels(org: org, project: project))]]
    }

    static func pod(
        _ annotation: String?, labels: [String: JSONValue] = labels(), spec: JSONValue = ["containers": [["name": "a"]]]
    ) -> JSONValue {
        var annotations: [String: JSONValue] = [:]
        if let annotation { annotations["platform.apolo.us/inject-storage"] = .string(annotation) }
        return ["kind": "Pod", "metadata": ["labels": .object(labels), "annotations": .object(annotations)], "spec": spec]
    }

    // MARK: Asking

    struct Answer {
        let isAllowed: Bool
        /// Code and message.
        let denial: String?
        /// Of the patch.
        let operations: [JSONValue]?
    }

    func ask(_ pod: JSONValue, in namespace: String? = "space", isDryRun: Bool = false) async throws -> Answer {
        let uid = UUID().uuidString
        let review: JSONValue = [
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "request": [
                "uid": .string(uid), "object": pod, "dryRun": .bool(isDryRun), "operation": "CREATE",
                "namespace": namespace.map { .string($0) } ?? nil,
            ],
        ]
        let answer = try await post(String(decoding: JSONEncoder().encode(review), as: UTF8.self))
        #expect(answer.status == 200, "\(answer.body)")
        let told = try JSONDecoder().decode(JSONValue.self, from: answer.data)
        #expect(told["apiVersion"] == "admission.k8s.io/v1" && told["kind"] == "AdmissionReview")
        let response = try #require(told["response"])
        #expect(response["uid"]?.string == uid)
        let patch = try response["patch"]?.string.map {
            try JSONDecoder().decode([JSONValue].self, from: #require(Data(base64Encoded: $0)))
        }
        #expect((response["patchType"] == "JSONPatch") == (patch != nil))
        let status = response["status"]
        return Answer(
            isAllowed: response["allowed"] == true,
            denial: status.map { "\($0["code"]?.integer ?? 0) \($0["message"]?.string ?? "")" }, operations: patch)
    }

    func post(_ body: String) async throws -> TestAnswer {
        var request = HTTPClientRequest(url: "https://127.0.0.1:\(port)/admission-controller/mutate")
        request.method = .POST
        request.body = .bytes(ByteBuffer(string: body))
        return try await call(request)
    }

    func get(_ path: String) async throws -> TestAnswer { try await call(HTTPClientRequest(url: "https://127.0.0.1:\(port)\(path)")) }

    private func call(_ request: HTTPClientRequest) async throws -> TestAnswer {
        let response = try await client.execute(request, timeout: .seconds(60))
        let body = try await response.body.collect(upTo: 1 << 20)
        return TestAnswer(status: Int(response.status.code), headers: response.headers, data: Data(body.readableBytesView))
    }

    func entries(_ path: String) -> [String] { ((try? FileManager.default.contentsOfDirectory(atPath: root + path)) ?? []).sorted() }
}

/// A Kubernetes that answers with the objects that its settings hold, by the ends of their paths.
private struct ObjectAPI: PlatformService {
    static let name = "api"
    let objects: JSONValue

    init(_ context: ServiceContext) async throws {
        objects = try JSONDecoder().decode(JSONValue.self, from: Data(context.settings.string("objects").utf8))
    }

    func register(on router: PlatformRouter) {
        router.get("/api/v1/{path...}", access: .anyone) { [objects] _, context in
            let path = try context.parameter("path")
            guard let object = objects[path] else { throw PlatformError.notFound() }
            return JSONResponse(object)
        }
    }
}
