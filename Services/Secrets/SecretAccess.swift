import Identity
import PlatformClients
import PlatformModel
import ServiceKit

/// Who may do what with the secrets of a project. Each question is one call to auth-api, with the caller's own token.
struct SecretAccess: Sendable {
    let cluster: ClusterName
    let auth: AuthClient

    /// - Throws: 403 `{"missing": […]}`, 401 when the token no longer stands.
    func requireWriting(in place: SecretPlace, as caller: Caller) async throws {
        try await auth.require(Permission(place.uri(in: cluster), .write), as: caller)
    }

    /// Errors as above, whether or not there is such a key.
    func requireReading(_ key: SecretKey, in place: SecretPlace, as caller: Caller) async throws {
        try await auth.require(Permission(place.uri(in: cluster).appending(key.text), .read), as: caller)
    }

    /// Which keys of a project the caller may read.
    func readable(in place: SecretPlace, as caller: Caller) async throws -> @Sendable (SecretKey) -> Bool {
        let tree = try await auth.tree(place.uri(in: cluster), as: caller)
        return { tree.action(below: [$0.text]) >= .read }
    }

    /// What the caller may read in the projects of an organization.
    func readable(in org: OrgName, as caller: Caller) async throws -> Reach {
        Reach(tree: try await auth.tree(ResourceURI(.secret, cluster).appending(org.text), as: caller))
    }

    struct Reach: Sendable {
        let tree: PermissionTree

        /// Whether the project may hold something that the caller may read.
        func touches(_ project: ProjectName) -> Bool { tree.action(below: [project.text]) > .deny }
        func reads(_ key: SecretKey, in project: ProjectName) -> Bool { tree.action(below: [project.text, key.text]) >= .read }
    }
}
