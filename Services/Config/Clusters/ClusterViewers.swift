import Identity
import PlatformClients
import PlatformModel
import ServiceKit

/// Who may see which cluster, and how much of it (config.md 4.2, 13).
struct ClusterViewers: Sendable {
    let auth: AuthClient

    /// What one caller may see. One round trip to auth-api, which also says whether the token stands.
    func viewer(_ caller: Caller) async throws -> ClusterViewer {
        ClusterViewer(caller: caller, tree: try await auth.tree(ResourceURI(.cluster), as: caller))
    }
}

struct ClusterViewer: Sendable {
    let caller: Caller
    let tree: PermissionTree

    /// Throws 403 naming what is missing unless the caller administers the cluster; all clusters for nil.
    func requireManage(_ cluster: ClusterName?) throws {
        let uri = cluster.map { ResourceURI(.cluster, $0) } ?? ResourceURI(.cluster)
        guard tree.action(on: uri) >= .manage else {
            throw PlatformError(.forbidden, "Forbidden", body: MissingPermissions(missing: [Permission(uri, .manage)]))
        }
    }

    /// The document as this caller may see it; nil if it is invisible.
    func view(_ document: ClusterDocument) -> ClusterDocument? {
        let isOwnToken = caller.kind == .cluster && caller.cluster == document.name.text
        let cluster = ResourceURI(.cluster, document.name)
        guard isOwnToken || tree.action(on: cluster.appending("access")) >= .read else { return nil }
        var view = document
        // Credentials are for the cluster itself and for the control plane's services, whatever grants a user holds.
        let isControlPlane = caller.kind == .controlPlane && tree.root.action >= .read
        if !isOwnToken, !isControlPlane {
            view.credentials = nil
            view.cloudProvider = tree.action(on: cluster) >= .manage ? view.cloudProvider?.masked : nil
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
