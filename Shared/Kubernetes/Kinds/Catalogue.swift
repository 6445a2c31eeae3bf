// Where the typed kinds live. Written as static members so that a call reads `client.get(.pods, "name", in: "namespace")`.

extension ResourceKind where Object == Pod {
    public static var pods: Self { .init(version: "v1", kind: "Pod", plural: "pods") }
}
extension ResourceKind where Object == Node {
    public static var nodes: Self { .init(version: "v1", kind: "Node", plural: "nodes", isNamespaced: false) }
}
extension ResourceKind where Object == Namespace {
    public static var namespaces: Self { .init(version: "v1", kind: "Namespace", plural: "namespaces", isNamespaced: false) }
}
extension ResourceKind where Object == KubernetesEvent {
    public static var events: Self { .init(version: "v1", kind: "Event", plural: "events") }
}
extension ResourceKind where Object == KubernetesService {
    public static var services: Self { .init(version: "v1", kind: "Service", plural: "services") }
}
extension ResourceKind where Object == KubernetesSecret {
    public static var secrets: Self { .init(version: "v1", kind: "Secret", plural: "secrets") }
}
extension ResourceKind where Object == ConfigMap {
    public static var configMaps: Self { .init(version: "v1", kind: "ConfigMap", plural: "configmaps") }
}
extension ResourceKind where Object == PersistentVolumeClaim {
    public static var persistentVolumeClaims: Self {
        .init(version: "v1", kind: "PersistentVolumeClaim", plural: "persistentvolumeclaims")
    }
}
extension ResourceKind where Object == Ingress {
    public static var ingresses: Self { .init(group: "networking.k8s.io", version: "v1", kind: "Ingress", plural: "ingresses") }
}
extension ResourceKind where Object == NetworkPolicy {
    public static var networkPolicies: Self {
        .init(group: "networking.k8s.io", version: "v1", kind: "NetworkPolicy", plural: "networkpolicies")
    }
}
extension ResourceKind where Object == KubernetesObject {
    /// core/v1 Endpoints; on Kubernetes 1.20 the only stable way to the API server's addresses (EndpointSlice v1 came with 1.21).
    public static var endpoints: Self { .init(version: "v1", kind: "Endpoints", plural: "endpoints") }
}
