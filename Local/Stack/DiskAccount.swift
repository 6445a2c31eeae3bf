import Foundation
import Kubernetes

/// disk-api's own account on a Kubernetes of this machine, with the rights that it has in production and no others (disk.md 1).
struct DiskAccount: Sendable {
    private static let (name, namespace) = ("disk-api", "orrery")

    let folder: RunFolder

    /// The file by which disk-api is that account.
    var kubeconfig: String { folder.file("secrets/admission/disk-api/kubeconfig") }

    func ensure() async throws {
        let administrator = folder.file("kubeconfig")
        let given = try await Cluster.with(administrator) { client in
            try await stand(on: client)
            return try await token(client)
        }
        var configuration = try KubernetesConfiguration.kubeconfig(path: administrator)
        configuration.credentials = .token(given)
        try folder.make("secrets/admission/disk-api", permissions: 0o700)
        try folder.write(configuration.kubeconfig(), to: "secrets/admission/disk-api/kubeconfig", permissions: 0o600)
    }

    private func stand(on client: KubernetesClient) async throws {
        func unlessItStands<O>(_ kind: ResourceKind<O>, _ object: O, in namespace: String? = nil) async throws {
            do { try await client.create(kind, object, in: namespace) } catch let error as KubernetesError where error.isAlreadyExists {}
        }
        let (name, namespace) = (Self.name, Self.namespace)
        try await unlessItStands(.namespaces, Namespace(metadata: ObjectMeta(name: namespace)))
        let accounts = ResourceKind<KubernetesObject>(version: "v1", kind: "ServiceAccount", plural: "serviceaccounts")
        try await unlessItStands(accounts, KubernetesObject(metadata: ObjectMeta(name: name)), in: namespace)
        let rules = KubernetesObject(metadata: ObjectMeta(name: name), fields: ["rules": .array(Self.rules)])
        do {
            try await client.create(Self.role("ClusterRole", "clusterroles"), rules)
        } catch let error as KubernetesError where error.isAlreadyExists {
            try await client.replace(Self.role("ClusterRole", "clusterroles"), rules)
        }
        let binding = KubernetesObject(
            metadata: ObjectMeta(name: name),
            fields: [
                "roleRef": ["apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": .string(name)],
                "subjects": [["kind": "ServiceAccount", "name": .string(name), "namespace": .string(namespace)]],
            ])
        try await unlessItStands(Self.role("ClusterRoleBinding", "clusterrolebindings"), binding)
        let secret = KubernetesSecret(
            metadata: ObjectMeta(name: "\(name)-token", annotations: ["kubernetes.io/service-account.name": name]),
            type: "kubernetes.io/service-account-token")
        try await unlessItStands(.secrets, secret, in: namespace)
    }

    /// Kubernetes fills the Secret in.
    private func token(_ client: KubernetesClient) async throws -> String {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            if let token = try await client.get(.secrets, "\(Self.name)-token", in: Self.namespace).data?["token"] {
                return String(decoding: token, as: UTF8.self)
            }
            guard .now < deadline else { throw StackError("Kubernetes gives disk-api's account no token") }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private static func role(_ kind: String, _ plural: String) -> ResourceKind<KubernetesObject> {
        .init(group: "rbac.authorization.k8s.io", version: "v1", kind: kind, plural: plural, isNamespaced: false)
    }

    private static let rules: [JSONValue] = [
        rule("", ["persistentvolumeclaims", "persistentvolumes", "secrets", "pods"], ["*"]),
        rule("neuromation.io", ["disknamings"], ["*"]),
        rule("", ["namespaces"], ["get", "list", "watch", "create", "delete"]),
        rule("networking.k8s.io", ["networkpolicies"], ["get", "list", "create", "patch"]),
        rule("", ["endpoints"], ["get"]), rule("discovery.k8s.io", ["endpointslices"], ["get", "list"]),
        rule("", ["nodes"], ["get", "list"]), rule("", ["nodes/proxy"], ["get"]),
        rule("storage.k8s.io", ["storageclasses"], ["get", "list", "watch"]),
        rule("apiextensions.k8s.io", ["customresourcedefinitions"], ["get", "create"]),
    ]

    private static func rule(_ group: String, _ resources: [String], _ verbs: [String]) -> JSONValue {
        func texts(_ list: [String]) -> JSONValue { .array(list.map { .string($0) }) }
        return ["apiGroups": [.string(group)], "resources": texts(resources), "verbs": texts(verbs)]
    }
}
