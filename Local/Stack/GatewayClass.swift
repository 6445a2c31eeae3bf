import Kubernetes

/// The class by which ingresses choose the local platform's gateway. Traefik passes over an ingress whose class is not there; in production its chart
/// makes it.
struct GatewayClass: Sendable {
    let kubeconfig: String

    func ensure() async throws {
        let kind = ResourceKind<KubernetesObject>(
            group: "networking.k8s.io", version: "v1", kind: "IngressClass", plural: "ingressclasses", isNamespaced: false)
        let object = KubernetesObject(
            metadata: .init(name: "traefik"), fields: ["spec": ["controller": "traefik.io/ingress-controller"]])
        try await Cluster.with(kubeconfig) { client in
            do {
                try await client.create(kind, object)
            } catch let error as KubernetesError where error.isAlreadyExists {}
        }
    }
}
