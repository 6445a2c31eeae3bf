import Foundation
import Kubernetes
import LocalCertificates

/// A service's admission webhook on a Kubernetes of this machine: its certificate, what the service is told, and its registration, which must not outlive
/// it: while the webhook does not answer, what it is asked about is refused.
struct Webhook: Sendable {
    private static let kind = ResourceKind<KubernetesObject>(
        group: "admissionregistration.k8s.io", version: "v1", kind: "MutatingWebhookConfiguration",
        plural: "mutatingwebhookconfigurations", isNamespaced: false)

    let service: ServicePart
    private let name: String
    private let path: String
    private let rules: [JSONValue]
    /// nil: all objects that the rules speak of.
    private let objects: JSONValue?
    private let port: Int
    private let certificates: ServerCertificates

    private init(_ stack: Stack, _ service: ServicePart, name: String, path: String, rules: [JSONValue], objects: JSONValue? = nil) {
        self.service = service
        self.name = name
        self.path = path
        self.rules = rules
        self.objects = objects
        port = stack.ports[.admission(service)]
        certificates = ServerCertificates(folder: stack.folder.file("secrets/admission/\(service.rawValue)"), name: name)
    }

    /// storage.md 16.6.
    static func storage(_ stack: Stack) -> Webhook {
        Webhook(
            stack, .storage, name: "storage-admission-controller", path: "/admission-controller/mutate",
            rules: [rule("pods", "CREATE")], objects: ["matchLabels": ["platform.apolo.us/inject-storage": "true"]])
    }

    /// disk.md 12.1.
    static func disk(_ stack: Stack) -> Webhook {
        Webhook(
            stack, .disk, name: "platform-disks-admission-controller", path: "/mutate",
            rules: [rule("pods", "CREATE", "UPDATE"), rule("persistentvolumeclaims", "CREATE")])
    }

    private static func rule(_ plural: String, _ operations: String...) -> JSONValue {
        [
            "operations": .array(operations.map { .string($0) }), "apiGroups": [""], "apiVersions": ["v1"],
            "resources": [.string(plural)], "scope": "Namespaced",
        ]
    }

    func prepare() throws { try certificates.renew() }

    /// Settings of the service.
    var environment: [String: String] {
        let prefix = service == .storage ? "ORRERY_STORAGE_ADMISSION_" : "ORRERY_DISK_ADMISSION_"
        return [
            prefix + "PORT": "\(port)", prefix + "CERTIFICATE": certificates.certificatePath, prefix + "KEY": certificates.keyPath,
        ]
    }

    /// Makes it known, in place of what an earlier run may have left.
    func register(_ kubeconfig: String) async throws {
        let authority = try Data(certificates.authority.utf8).base64EncodedString()
        let places: JSONValue = .array(
            [ProjectNamespace.orgLabel, ProjectNamespace.projectLabel].map { ["key": .string($0), "operator": "Exists"] })
        var webhook: JSONValue = [
            "name": .string("\(name).apolo.us"),
            "clientConfig": ["url": .string("https://127.0.0.1:\(port)\(path)"), "caBundle": .string(authority)],
            "rules": .array(rules), "namespaceSelector": ["matchExpressions": places],
            "failurePolicy": "Fail", "reinvocationPolicy": "IfNeeded", "sideEffects": "NoneOnDryRun",
            "admissionReviewVersions": ["v1", "v1beta1"], "timeoutSeconds": 30,
        ]
        if let objects { webhook["objectSelector"] = objects }
        try await Cluster.with(kubeconfig) { client in
            var object = KubernetesObject(metadata: .init(name: configuration), fields: ["webhooks": [webhook]])
            do {
                try await client.create(Self.kind, object)
            } catch let error as KubernetesError where error.isAlreadyExists {
                object.metadata.resourceVersion = try await client.get(Self.kind, configuration).metadata.resourceVersion
                try await client.replace(Self.kind, object)
            }
        }
    }

    func unregister(_ kubeconfig: String) async throws {
        try await Cluster.with(kubeconfig) { client in
            do {
                try await client.delete(Self.kind, configuration)
            } catch let error as KubernetesError where error.isNotFound {}
        }
    }

    private var configuration: String { "admission-controller-\(name)" }
}
