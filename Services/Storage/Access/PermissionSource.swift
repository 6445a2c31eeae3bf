import Identity
import PlatformClients
import PlatformModel
import ServiceKit

/// Answers what a caller may do.
protocol PermissionSource: Sendable {
    /// Whether the caller holds all of these.
    func holds(_ wanted: [(path: StoragePath, action: Action)], as caller: Caller) async throws -> Bool
    /// What holds for a path and below; an action of `deny` for nothing.
    func node(of path: StoragePath, as caller: Caller) async throws -> PermissionTree.Node
}

/// auth-api, asked with the caller's own token: one question says whether the token stands and what is missing.
struct AuthPermissions: PermissionSource {
    let cluster: String
    let auth: AuthClient

    func holds(_ wanted: [(path: StoragePath, action: Action)], as caller: Caller) async throws -> Bool {
        try await auth.check(wanted.map { Permission($0.path.uri(cluster: cluster).uri, $0.action) }, as: caller).isEmpty
    }

    func node(of path: StoragePath, as caller: Caller) async throws -> PermissionTree.Node {
        let (uri, below) = path.uri(cluster: cluster)
        return try await auth.tree(uri, as: caller).root.descending(below)
    }
}
