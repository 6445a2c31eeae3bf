import Kubernetes
import PlatformModel

/// The project whose secrets are meant, and where they lie in Kubernetes.
struct SecretPlace: Hashable, Sendable {
    static let orgLabel = "platform.neuromation.io/secret-api-org-name"

    let org: OrgName
    let project: ProjectName

    /// jobs-api computes the same name to mount secrets into jobs. Names hold no `--`, so that no two projects share one.
    var objectName: String { "project--\(org)--\(project)--secrets" }
    var namespace: ProjectNamespace {
        ProjectNamespace(name: JobPlace(org, project).namespace, org: org.text, project: project.text)
    }

    /// Whether Kubernetes takes these names; longer ones have no secrets.
    var isStorable: Bool {
        org.text.utf8.count <= 63 && project.text.utf8.count <= 63 && namespace.name.utf8.count <= 63 && objectName.utf8.count <= 253
    }

    func uri(in cluster: ClusterName) -> ResourceURI { ResourceURI(.secret, cluster).appending(org.text).appending(project.text) }
}
