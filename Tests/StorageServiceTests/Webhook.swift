import Foundation
import Kubernetes
import LocalCertificates
import ServiceKit
import ServiceTestSupport
import TestSupport
import Testing

@testable import StorageService

/// A storage-api whose admission webhook is switched on, and a client that trusts its authority.
struct Webhook: Sendable {
    let root: String
    let asker: AdmissionAsker

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
        try await withService(StorageService.self, settings: own, authenticator: TestAuthenticator.factory("alice")) {
            (service) async throws in
            try await AdmissionAsker.with(
                service.log, authority: certificates.authority, path: "/admission-controller/mutate"
            ) { (asker) async throws in
                try await body(Webhook(root: folder + "/root", asker: asker))
            }
        }
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

    func ask(_ pod: JSONValue, in namespace: String? = "space", isDryRun: Bool = false) async throws -> AdmissionAsker.Answer {
        var request: [String: JSONValue] = ["object": pod, "dryRun": .bool(isDryRun), "operation": "CREATE"]
        request["namespace"] = namespace.map { .string($0) }
        return try await asker.ask(request)
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
