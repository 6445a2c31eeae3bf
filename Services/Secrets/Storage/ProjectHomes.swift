import Kubernetes
import PlatformModel

extension ProjectHomes {
    func with<T: Sendable>(_ place: SecretPlace, _ body: (Home) async throws -> T) async throws -> T {
        try await with(place.namespace.name, body)
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
