import Identity
import PlatformClients
import PlatformModel
import ServiceKit

/// Who may see which cluster, and how much of it (config.md 4.2, 13).
struct ClusterViewers: Sendable {
    let auth: AuthClient
    let addresses: ClusterCredentials.Addresses

    /// What one caller may see. One round trip to auth-api, which also says whether the token stands.
    func viewer(_ caller: Caller) async throws -> ClusterViewer {
        ClusterViewer(caller: caller, tree: try await auth.tree(ResourceURI(.cluster), as: caller), addresses: addresses)
    }
}

struct ClusterViewer: Sendable {
    let caller: Caller
    let tree: PermissionTree
    let addresses: ClusterCredentials.Addresses

    /// Throws 403 naming what is missing unless the caller administers the cluster; all clusters for nil. A cluster's token is never
    /// enough.
    func requireManage(_ cluster: ClusterName?) throws {
        let uri = cluster.map { ResourceURI(.cluster, $0) } ?? ResourceURI(.cluster)
        guard caller.kind != .cluster, tree.action(on: uri) >= .manage else {
            throw PlatformError(.forbidden, "Forbidden", body: MissingPermissions(missing: [Permission(uri, .manage)]))
        }
    }

    /// Whether the caller is the software inside this cluster.
    func isItself(_ cluster: ClusterName) -> Bool { caller.kind == .cluster && caller.cluster == cluster.text }

    /// Whether the caller may see that there is such a cluster. A cluster's token shows that cluster alone, whatever it holds.
    func sees(_ cluster: ClusterName) -> Bool {
        caller.kind == .cluster ? isItself(cluster) : tree.action(on: ResourceURI(.cluster, cluster).appending("access")) >= .read
    }

    /// The document as this caller may see it; nil if it is invisible.
    func view(_ stored: StoredCluster) throws -> ClusterDocument? {
        guard sees(stored.name) else { return nil }
        var view = stored.document
        // Credentials are for the cluster itself and for the control plane's services, whatever grants a user holds.
        if isItself(stored.name) || (caller.kind == .controlPlane && tree.root.action >= .read) {
            view.credentials = try ClusterCredentials(stored.credentials()).completed(by: addresses).json
        } else {
            view.cloudProvider = tree.action(on: ResourceURI(.cluster, stored.name)) >= .manage ? view.cloudProvider?.masked : nil
        }
        return view
    }
}

extension JSON {
    /// The same with every text under a name that promises a secret replaced.
    var masked: JSON { masked(underSecretName: false) }

    private func masked(underSecretName secret: Bool) -> JSON {
        switch self {
        case .object(let members):
            .object(
                Dictionary(
                    uniqueKeysWithValues: members.map { ($0, $1.masked(underSecretName: secret || Self.promisesSecret($0))) }))
        case .array(let elements): .array(elements.map { $0.masked(underSecretName: secret) })
        case .string where secret: .string("***")
        default: self
        }
    }

    private static func promisesSecret(_ name: String) -> Bool {
        ["credentials", "password", "secret", "token", "key"].contains { name.lowercased().contains($0) }
    }
}
