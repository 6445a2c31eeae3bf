import Injection
import Kubernetes
import PlatformModel
import ServiceKit
import ServiceLifecycle

/// The admission webhook of disks (disk.md 12) as the settings want it: a second server of this process, over TLS.
struct DiskWebhook: Sendable {
    static let path = "/mutate"

    /// What is to run.
    let services: [any Service]

    /// - Returns: nil when it is not switched on.
    init?(_ context: ServiceContext, cluster: ClusterName, store: DiskStore) async throws {
        let server = try await AdmissionServer(
            context, of: "disk", path: Self.path, pong: "ok", kubernetes: { store.client },
            reviewer: {
                let account = try OwnAccount(context.settings, store.client.configuration)
                return DiskReviewer(
                    injector: DiskInjector(cluster: cluster, claims: ProjectClaims(client: store.client, names: store.names)),
                    adopter: ClaimAdopter(
                        names: store.names, storageClass: try await Self.storageClass(store), account: account),
                    client: store.client, logger: context.logger)
            })
        guard let server else { return nil }
        services = server.services
    }

    /// The one that is configured, else the cluster's own choice.
    private static func storageClass(_ store: DiskStore) async throws -> String {
        if let name = store.storageClass { return name }
        let classes: [KubernetesObject]
        do {
            classes = try await store.client.list(.storageClasses).items
        } catch {
            throw SettingError("The admission webhook cannot read the cluster's storage classes: \(error)")
        }
        // Of several the newest, as Kubernetes itself chooses.
        let marked = classes.filter { $0.metadata.annotations["storageclass.kubernetes.io/is-default-class"] == "true" }
        let newest = marked.max { a, b in
            let (older, newer) = (a.metadata.creationTimestamp ?? .distantPast, b.metadata.creationTimestamp ?? .distantPast)
            return (older, b.metadata.name ?? "") < (newer, a.metadata.name ?? "")
        }
        guard let name = newest?.metadata.name else {
            throw SettingError("unable to start an admission controller without a known storage class")
        }
        return name
    }
}

extension ResourceKind where Object == KubernetesObject {
    fileprivate static var storageClasses: Self {
        .init(group: "storage.k8s.io", version: "v1", kind: "StorageClass", plural: "storageclasses", isNamespaced: false)
    }
}
