import AsyncHTTPClient
import Foundation
import Kubernetes
import LocalCertificates
import NIOCore
import NIOSSL
import PlatformModel
import ServiceKit
import TestSupport
import Testing

@testable import DiskService

/// A disk-api whose admission webhook is switched on, on a stage, and a client that trusts its authority.
struct DiskWebhookStage: Sendable {
    static let account = "system:serviceaccount:platform:disk-api"
    static let somebody = "system:serviceaccount:kube-system:statefulset-controller"
    static let storageClasses = ResourceKind<KubernetesObject>(
        group: "storage.k8s.io", version: "v1", kind: "StorageClass", plural: "storageclasses", isNamespaced: false)

    let stage: DiskStage
    let port: Int
    private let http: HTTPClient

    static func run(_ settings: [String: String] = [:], _ body: (DiskWebhookStage) async throws -> Void) async throws {
        try await DiskStage.with { (stage) async throws in
            try await start(on: stage, settings, body)
        }
    }

    /// - Parameter classes: whether the cluster's own storage class is waited for.
    static func start(
        on stage: DiskStage, _ settings: [String: String] = [:], classes: Bool = true, _ body: (DiskWebhookStage) async throws -> Void
    ) async throws {
        let certificates = ServerCertificates(folder: stage.folder, name: "webhook")
        try certificates.renew()
        try await ProjectNamespace(name: DiskStage.namespace, org: "acme", project: "vision").ensure(on: stage.client)
        while classes, try await stage.client.list(storageClasses).items.isEmpty { try await Task.sleep(for: .milliseconds(20)) }
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(certificates.authority.utf8)))
        let http = HTTPClient(configuration: .init(tlsConfiguration: tls))
        let own = [
            "disk.admission.port": "0", "disk.admission.certificate": certificates.certificatePath,
            "disk.admission.key": certificates.keyPath, "disk.admission.account": account,
        ].merging(settings) { $1 }
        let outcome: Result<Void, any Error>
        do {
            try await stage.another(own) { (service) async throws in
                try await body(DiskWebhookStage(stage: stage, port: try await port(service.log), http: http))
            }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        try await http.shutdown()
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

    // MARK: Asking

    struct Answer {
        let isAllowed: Bool
        /// Code and message.
        let denial: String?
        /// Of the patch.
        let operations: [JSONValue]?
    }

    func ask(
        _ object: JSONValue, old: JSONValue = .null, in namespace: String? = DiskStage.namespace, by username: String = somebody,
        isDryRun: Bool = false
    ) async throws -> Answer {
        let uid = UUID().uuidString
        let review: JSONValue = [
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "request": [
                "uid": .string(uid), "object": object, "oldObject": old, "namespace": namespace.map { .string($0) } ?? .null,
                "dryRun": .bool(isDryRun), "operation": old == .null ? "CREATE" : "UPDATE", "userInfo": ["username": .string(username)],
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
        #expect(patch?.allSatisfy { $0["op"] == "add" } ?? true)
        let status = response["status"]
        return Answer(
            isAllowed: response["allowed"] == true,
            denial: status.map { "\($0["code"]?.integer ?? 0) \($0["message"]?.string ?? "")" }, operations: patch)
    }

    /// The object as it would stand: with the patch.
    func admitted(
        _ object: JSONValue, old: JSONValue = .null, by username: String = somebody, isDryRun: Bool = false
    ) async throws -> JSONValue {
        let answer = try await ask(object, old: old, by: username, isDryRun: isDryRun)
        #expect(answer.isAllowed, "\(answer.denial ?? "")")
        return try (answer.operations ?? []).reduce(object) { try Self.add($1, to: $0) }
    }

    /// Makes what is admitted, as the API server that asked would.
    @discardableResult
    func make(_ claim: JSONValue, by username: String = somebody) async throws -> PersistentVolumeClaim {
        let data = try JSONEncoder().encode(try await admitted(claim, by: username))
        let object = try JSONDecoder().decode(KubernetesObject.self, from: data)
        let made = try await stage.client.create(ResourceKind.persistentVolumeClaims.generic, object, in: DiskStage.namespace)
        return try #require(try await stage.claim(made.metadata.name ?? ""))
    }

    func post(_ body: String) async throws -> TestAnswer {
        var request = HTTPClientRequest(url: "https://127.0.0.1:\(port)/mutate")
        request.method = .POST
        request.body = .bytes(ByteBuffer(string: body))
        return try await call(request)
    }

    func get(_ path: String) async throws -> TestAnswer { try await call(HTTPClientRequest(url: "https://127.0.0.1:\(port)\(path)")) }

    private func call(_ request: HTTPClientRequest) async throws -> TestAnswer {
        let response = try await http.execute(request, timeout: .seconds(60))
        let body = try await response.body.collect(upTo: 1 << 20)
        return TestAnswer(status: Int(response.status.code), headers: response.headers, data: Data(body.readableBytesView))
    }

    // MARK: Objects

    static func claim(
        _ name: String?, labels: JSONValue? = nil, annotations: JSONValue? = nil, storageClass: String? = nil
    ) -> JSONValue {
        var metadata: [String: JSONValue] = ["namespace": .string(DiskStage.namespace)]
        metadata["name"] = name.map { .string($0) }
        metadata["labels"] = labels
        metadata["annotations"] = annotations
        var spec: [String: JSONValue] = ["accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": "1Mi"]]]
        spec["storageClassName"] = storageClass.map { .string($0) }
        return ["apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": .object(metadata), "spec": .object(spec)]
    }

    static func entry(_ disk: String, path: String = "/mnt/disk", mode: String? = nil) -> String {
        let mode = mode.map { #", "mount_mode": "\#($0)""# } ?? ""
        return #"{"mount_path": "\#(path)", "disk_uri": "disk://default/acme/vision/\#(disk)"\#(mode)}"#
    }

    static func pod(
        _ annotation: String?, org: String? = "acme", project: String? = "vision",
        spec: JSONValue = ["containers": [["name": "a"]]]
    ) -> JSONValue {
        var (annotations, labels): ([String: JSONValue], [String: JSONValue]) = ([:], [:])
        annotations["platform.apolo.us/inject-disk"] = annotation.map { .string($0) }
        labels["platform.apolo.us/org"] = org.map { .string($0) }
        labels["platform.apolo.us/project"] = project.map { .string($0) }
        return [
            "apiVersion": "v1", "kind": "Pod", "metadata": ["name": "p", "labels": .object(labels), "annotations": .object(annotations)],
            "spec": spec,
        ]
    }

    // MARK: Patches

    struct Unpatchable: Error {
        let path: String
    }

    /// One `add` of a JSON patch (RFC 6902).
    private static func add(_ operation: JSONValue, to object: JSONValue) throws -> JSONValue {
        let path = try #require(operation["path"]?.string)
        let parts: [String] = path.components(separatedBy: "/").dropFirst().map { $0.replacing("~1", with: "/").replacing("~0", with: "~") }
        return try add(try #require(operation["value"]), at: parts[...], in: object, path)
    }

    private static func add(_ value: JSONValue, at parts: ArraySlice<String>, in object: JSONValue, _ path: String) throws -> JSONValue {
        guard let first = parts.first else { return value }
        let rest = parts.dropFirst()
        switch object {
        case .object(var members):
            guard let child = rest.isEmpty ? .null : members[first] else { throw Unpatchable(path: path) }
            members[first] = try add(value, at: rest, in: child, path)
            return .object(members)
        case .array(var items):
            if first == "-", rest.isEmpty { return .array(items + [value]) }
            guard let index = Int(first), items.indices.contains(index), !rest.isEmpty else { throw Unpatchable(path: path) }
            items[index] = try add(value, at: rest, in: items[index], path)
            return .array(items)
        default: throw Unpatchable(path: path)
        }
    }
}
