import Kubernetes

/// Whose a pod's namespace is. Whoever may make pods in a namespace may label them as anybody's; the labels of the namespace itself are the
/// platform's to set (storage.md 20, line 14).
struct NamespaceOwner: Sendable {
    /// What a namespace is not of.
    enum Mismatch: Error, Hashable {
        case org, project
    }

    struct Unnamed: Error {}

    let client: KubernetesClient

    /// Asked each time, and not remembered: the API server that waits for the answer is the one that gives this.
    /// - Throws: ``Mismatch``, or why the namespace cannot be read.
    func require(_ namespace: String?, org: String, project: String) async throws {
        guard let namespace, !namespace.isEmpty else { throw Unnamed() }
        let wanted = ProjectNamespace(name: namespace, org: org, project: project).labels
        let labels = try await client.get(.namespaces, namespace).metadata.labels
        guard labels[ProjectNamespace.orgLabel] == wanted[ProjectNamespace.orgLabel] else { throw Mismatch.org }
        guard labels[ProjectNamespace.projectLabel] == wanted[ProjectNamespace.projectLabel] else { throw Mismatch.project }
    }
}
