/// How control-plane services reach the Kubernetes API of a cluster: the member `kubernetes` of the document's `credentials`.
public struct KubernetesCredentials: Hashable, Sendable, Codable {
    /// The text of a kubeconfig whose current context is the cluster; embedded data only, no file references.
    public var kubeconfig: String

    public init(kubeconfig: String) { self.kubeconfig = kubeconfig }
}

extension ClusterDocument {
    /// nil when the reader may not see credentials, or the cluster has none yet.
    public var kubernetes: KubernetesCredentials? {
        get { credentials?["kubernetes"]?["kubeconfig"]?.string.map(KubernetesCredentials.init) }
        set {
            var members: [String: JSON] = [:]
            if case .object(let existing) = credentials { members = existing }
            var section: [String: JSON] = [:]
            if case .object(let existing) = members["kubernetes"] { section = existing }
            section["kubeconfig"] = newValue.map { .string($0.kubeconfig) }
            members["kubernetes"] = section.isEmpty ? nil : .object(section)
            credentials = members.isEmpty ? nil : .object(members)
        }
    }
}
