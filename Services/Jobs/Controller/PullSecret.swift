import Foundation
import Kubernetes
import PlatformModel

/// The registry credentials by which a node pulls a job's image: the platform's own, not the owner's (jobs-orchestration.md 4.4). Where no
/// account at the registry is set these are the cluster's: this service's own token would let whoever runs the cluster run the platform.
enum PullSecret {
    static let dataKey = ".dockerconfigjson"

    static func name(owner: String) -> String { "neurouser-" + owner.replacing("/", with: "--").lowercased() }

    static func secret(owner: String, cluster: ClusterDocument, settings: ControllerSettings) throws -> KubernetesSecret {
        let password = settings.registryPassword?.value ?? cluster.credentials?["neuro"]?["token"]?.string ?? ""
        let entry = Entry(
            username: settings.registryUser, password: password, email: settings.registryEmail,
            auth: Data("\(settings.registryUser):\(password)".utf8).base64EncodedString())
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return KubernetesSecret(
            metadata: ObjectMeta(name: name(owner: owner)), type: "kubernetes.io/dockerconfigjson",
            data: [dataKey: try encoder.encode(["auths": [host(cluster.registry.url): entry]])])
    }

    /// `host`, with the port only when the URL spells one.
    static func host(_ url: String) -> String {
        let rest = url.split(separator: "://", maxSplits: 1).last ?? ""
        return String(rest.prefix { $0 != "/" && $0 != "?" })
    }

    private struct Entry: Encodable {
        let username: String
        let password: String
        let email: String
        let auth: String
    }
}
