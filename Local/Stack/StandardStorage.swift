import Kubernetes

/// The class of claims that ask for none, on a cluster that makes no volumes by itself: whoever wants one sets it aside.
struct StandardStorage: Sendable {
    let kubeconfig: String

    func ensure() async throws {
        let kind = ResourceKind<KubernetesObject>(
            group: "storage.k8s.io", version: "v1", kind: "StorageClass", plural: "storageclasses", isNamespaced: false)
        let object = KubernetesObject(
            metadata: .init(name: "standard", annotations: ["storageclass.kubernetes.io/is-default-class": "true"]),
            fields: ["provisioner": "kubernetes.io/no-provisioner", "volumeBindingMode": "Immediate"])
        try await Cluster.with(kubeconfig) { client in
            do {
                try await client.create(kind, object)
            } catch let error as KubernetesError where error.isAlreadyExists {}
        }
    }
}
