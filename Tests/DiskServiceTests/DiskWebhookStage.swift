import Foundation
import Kubernetes
import LocalCertificates
import PlatformModel
import ServiceKit
import ServiceTestSupport
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
    let asker: AdmissionAsker

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
        let own = [
            "disk.admission.port": "0", "disk.admission.certificate": certificates.certificatePath,
            "disk.admission.key": certificates.keyPath, "disk.admission.account": account,
        ].merging(settings) { $1 }
        try await stage.another(own) { (service) async throws in
            try await AdmissionAsker.with(service.log, authority: certificates.authority, path: "/mutate") { (asker) async throws in
                try await body(DiskWebhookStage(stage: stage, asker: asker))
            }
        }
    }

    // MARK: Asking

    func ask(
        _ object: JSONValue, old: JSONValue = .null, in namespace: String? = DiskStage.namespace, by username: String = somebody,
        isDryRun: Bool = false
    ) async throws -> AdmissionAsker.Answer {
        let answer = try await asker.ask([
            "object": object, "oldObject": old, "namespace": namespace.map { .string($0) } ?? .null, "dryRun": .bool(isDryRun),
            "operation": old == .null ? "CREATE" : "UPDATE", "userInfo": ["username": .string(username)],
        ])
        #expect(answer.operations?.allSatisfy { $0["op"] == "add" } ?? true)
        return answer
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
