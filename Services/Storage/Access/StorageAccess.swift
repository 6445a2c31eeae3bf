import Identity
import PlatformClients
import PlatformModel
import ServiceKit

/// Who may do what with a path (storage.md 4). A missing right and a missing object are told apart by nobody.
struct StorageAccess: Sendable {
    private let permissions: PermissionCache

    init(permissions: PermissionCache) { self.permissions = permissions }

    /// - Throws: 404 unless the caller holds all that is wanted.
    func require(_ wanted: (path: StoragePath, action: Action)..., as caller: Caller) async throws {
        guard try await permissions.holds(wanted.map { ($0.path, $0.action) }, as: caller) else { throw PlatformError.notFound() }
    }

    /// What the caller may do with a path and with what lies below.
    /// - Throws: 404 when that is nothing.
    func node(of path: StoragePath, as caller: Caller) async throws -> PermissionTree.Node {
        let node = try await permissions.node(of: path, as: caller)
        guard node.action > .deny else { throw PlatformError.notFound() }
        return node
    }
}

extension PermissionTree.Node {
    /// The node of a place below: where the tree names nothing more, what was reached so far holds, but that something lies elsewhere.
    func descending(_ segments: some Sequence<String>) -> PermissionTree.Node {
        var node = self
        for segment in segments { node = node.children[segment] ?? .init(action: node.inherited) }
        return node
    }

    /// What holds for an entry that the tree does not name.
    var inherited: Action { action > .list ? action : .deny }

    /// What clients are shown; nil for what they are not.
    var shown: String? { action == .deny ? nil : action.shown }
}

extension Action {
    /// `list` looks like `read` to clients.
    var shown: String { self == .list ? Action.read.rawValue : rawValue }
}
