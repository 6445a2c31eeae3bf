import Kubernetes
import PlatformModel

/// Makes the namespace of an org and project, with its policy, unless it is another's. jobs-api and secrets-api make the same.
struct ProjectNamespaces: Sendable {
    let client: KubernetesClient

    /// - Throws: `DiskRefusal.placeUnusable` for a namespace that is another's or on its way out.
    func ensure(_ place: DiskPlace) async throws {
        let project = ProjectNamespace(name: place.namespace, org: place.org.text, project: place.project.text)
        if let standing = try await client.find(.namespaces, project.name) {
            guard standing.metadata.deletionTimestamp == nil else { throw DiskRefusal.placeUnusable("The project is being removed.") }
            guard project.labels.allSatisfy({ key, value in standing.metadata.labels[key].map { $0 == value } ?? true }) else {
                throw DiskRefusal.placeUnusable("The project's place in the cluster is taken by another project.")
            }
        }
        try await project.ensure(on: client)
    }
}
