import PlatformClients
import PlatformModel
import ServiceKit

/// Builds the document that a client asks for first (config.md 2).
struct Bootstrap: Sendable {
    struct Addresses: Sendable {
        let admin: String
        let vcluster: String
        let users: String
    }

    let login: LoginSettings
    let clusters: ClusterStore
    let auth: AuthClient
    let admin: AdminClient
    let addresses: Addresses

    /// For nobody, and for a token that does not stand, the anonymous form.
    func document(for caller: Caller?) async throws -> BootstrapDocument {
        guard let caller, let principal = try? PrincipalName(caller.name) else { return login.anonymous }
        async let known = clusters.all()
        async let found = admin.user(principal.base)
        let documents = try await known.map(\.document)
        let volumes = Self.guardedVolumes(of: documents)
        let missing: Set<Permission>
        do {
            // One round trip: whether the token stands, and which volumes the caller may not see.
            missing = Set(try await auth.check(volumes, as: caller))
        } catch let error as PlatformError where error.status == .unauthorized {
            return login.anonymous
        }
        return authorized(user: try await found, documents: documents, missing: missing)
    }

    private func authorized(user: AdminUser?, documents: [ClusterDocument], missing: Set<Permission>) -> BootstrapDocument {
        var document = login.anonymous
        document.authorized = true
        document.adminURL = addresses.admin
        document.vclusterURL = addresses.vcluster
        document.orgs = (user?.orgs ?? []).compactMap { membership in
            membership.orgName.map { .init(name: $0, role: membership.role) }
        }
        document.projects = (user?.projects ?? []).compactMap { membership in
            guard let name = membership.projectName, let cluster = membership.clusterName, let role = membership.role else { return nil }
            return .init(name: name, role: role, clusterName: cluster, orgName: membership.orgName)
        }
        let byName = Dictionary(documents.map { ($0.name, $0) }) { first, _ in first }
        document.clusters = Self.grouped(user?.clusters ?? []).compactMap { name, orgs in
            byName[name].map { known in
                BootstrapCluster(
                    known, orgs: orgs, usersURL: addresses.users,
                    volumes: known.storage.volumes.filter { volume in
                        Self.permission(known.name, volume).map { !missing.contains($0) } ?? true
                    })
            }
        }
        return document
    }

    /// Clusters in the order of their first membership, each with the organizations through which it can be used.
    private static func grouped(_ memberships: [ClusterUser]) -> [(ClusterName, [OrgName])] {
        var order: [ClusterName] = []
        var orgs: [ClusterName: [OrgName]] = [:]
        for membership in memberships {
            guard let cluster = membership.clusterName, let org = membership.orgName else { continue }
            if orgs[cluster] == nil { order.append(cluster) }
            if orgs[cluster]?.contains(org) != true { orgs[cluster, default: []].append(org) }
        }
        return order.map { ($0, orgs[$0] ?? []) }
    }

    private static func guardedVolumes(of documents: [ClusterDocument]) -> [Permission] {
        documents.flatMap { document in document.storage.volumes.compactMap { permission(document.name, $0) } }
    }

    /// What seeing a volume takes; nil for the default volume, which everyone sees.
    private static func permission(_ cluster: ClusterName, _ volume: StorageSection.Volume) -> Permission? {
        volume.path.map { path in
            Permission(ResourceURI(.storage, [cluster.text] + path.split(separator: "/").map(String.init)), .read)
        }
    }
}
