import Foundation
import Kubernetes
import LocalCertificates
import PlatformModel

/// The storage service's admission webhook on a Kubernetes of this machine (storage.md 16.6): its certificate, what storage-api is told, and its
/// registration, which must not outlive it: a pod that asks for storage is refused while the webhook does not answer.
struct StorageWebhook: Sendable {
    private static let name = "storage-admission-controller"
    private static let configuration = "admission-controller-\(name)"
    private static let path = "/admission-controller/mutate"
    private static let kind = ResourceKind<KubernetesObject>(
        group: "admissionregistration.k8s.io", version: "v1", kind: "MutatingWebhookConfiguration",
        plural: "mutatingwebhookconfigurations", isNamespaced: false)

    let kubeconfig: String
    let port: Int
    private let certificates: ServerCertificates

    init(_ stack: Stack) {
        kubeconfig = stack.folder.file("kubeconfig")
        port = stack.ports[.admission]
        certificates = ServerCertificates(folder: stack.folder.file("secrets/admission"), name: Self.name)
    }

    func prepare() throws { try certificates.renew() }

    /// Settings of storage-api. It is no pod here, whose volumes would tell what others can mount.
    func environment(_ backends: StorageBackends) throws -> [String: String] {
        [
            "ORRERY_KUBECONFIG": kubeconfig,
            "ORRERY_STORAGE_ADMISSION_PORT": "\(port)",
            "ORRERY_STORAGE_ADMISSION_CERTIFICATE": certificates.certificatePath,
            "ORRERY_STORAGE_ADMISSION_KEY": certificates.keyPath,
            "ORRERY_STORAGE_BACKENDS": String(decoding: try JSONEncoder().encode(backends.json), as: UTF8.self),
        ]
    }

    /// Makes it known, in place of what an earlier run may have left.
    func register() async throws {
        let authority = try Data(certificates.authority.utf8).base64EncodedString()
        let places: JSONValue = .array(
            [ProjectNamespace.orgLabel, ProjectNamespace.projectLabel].map { ["key": .string($0), "operator": "Exists"] })
        let webhook: JSONValue = [
            "name": .string("\(Self.name).apolo.us"),
            "clientConfig": ["url": .string("https://127.0.0.1:\(port)\(Self.path)"), "caBundle": .string(authority)],
            "rules": [["operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "scope": "Namespaced"]],
            "namespaceSelector": ["matchExpressions": places],
            "objectSelector": ["matchLabels": ["platform.apolo.us/inject-storage": "true"]],
            "failurePolicy": "Fail", "reinvocationPolicy": "IfNeeded", "sideEffects": "NoneOnDryRun",
            "admissionReviewVersions": ["v1", "v1beta1"], "timeoutSeconds": 30,
        ]
        try await Cluster.with(kubeconfig) { client in
            var object = KubernetesObject(metadata: .init(name: Self.configuration), fields: ["webhooks": [webhook]])
            do {
                try await client.create(Self.kind, object)
            } catch let error as KubernetesError where error.isAlreadyExists {
                object.metadata.resourceVersion = try await client.get(Self.kind, Self.configuration).metadata.resourceVersion
                try await client.replace(Self.kind, object)
            }
        }
    }

    func unregister() async throws {
        try await Cluster.with(kubeconfig) { client in
            do {
                try await client.delete(Self.kind, Self.configuration)
            } catch let error as KubernetesError where error.isNotFound {}
        }
    }
}
