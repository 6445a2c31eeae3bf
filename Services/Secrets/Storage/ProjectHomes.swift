import Kubernetes
import Logging
import PlatformModel
import ServiceKit

/// Which Kubernetes keeps the secrets of a project: the host in the project's namespace, or the project's own virtual cluster. Looked up every
/// time, so that a virtual cluster counts from the moment it is there.
struct ProjectHomes: Sendable {
    static let virtualClusterSecret = "vc-vcluster"

    let host: KubernetesClient
    let virtual: VirtualClusters

    struct Home: Sendable {
        let client: KubernetesClient
        let namespace: String
        let isVirtual: Bool
    }

    func with<T: Sendable>(_ place: SecretPlace, _ body: (Home) async throws -> T) async throws -> T {
        let namespace = place.namespace.name
        guard let secret = try await host.find(.secrets, Self.virtualClusterSecret, in: namespace) else {
            return try await body(Home(client: host, namespace: namespace, isVirtual: false))
        }
        return try await virtual.with(secret, of: namespace) { client in
            try await body(Home(client: client, namespace: "default", isVirtual: true))
        }
    }

    /// The projects of an organization that have a namespace.
    func projects(of org: OrgName) async throws -> [SecretPlace] {
        // A longer one is no label.
        guard org.text.utf8.count <= 63 else { return [] }
        return try await host.list(.namespaces, labels: [ProjectNamespace.orgLabel: org.text]).items.compactMap { namespace in
            guard let project = try? ProjectName(namespace.metadata.labels[ProjectNamespace.projectLabel] ?? "") else { return nil }
            let place = SecretPlace(org: org, project: project)
            return place.namespace.name == namespace.metadata.name ? place : nil
        }
    }
}
