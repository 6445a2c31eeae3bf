import Logging
import PlatformClients
import PlatformModel
import ServiceKit
import ServiceLifecycle

/// Gives every cluster a token of its own (config.md 13) by auth-api: that of the principal `cluster/<name>`, which may read what is in
/// that cluster. It stands in the credentials, for the cluster alone to see, and dies with the cluster.
///
/// A new cluster is given one at once; those that got none then, and those of older releases, by the loop.
struct ClusterTokens: Service {
    let clusters: ClusterStore
    let auth: AuthClient
    /// Where clusters find the platform.
    let publicURL: String
    let interval: Duration
    let logger: Logger

    /// Issues a token unless the cluster has one. Nothing else changes the cluster meanwhile, so its end cannot be missed.
    func provide(_ name: ClusterName) async throws {
        let issued = try await clusters.update(name) { document in
            guard !document.hasToken else { return }
            let principal = try PrincipalName(servicesOf: name)
            try await auth.createUser(principal)
            let token = try await auth.issueToken(for: principal)
            let neuro = JSON.object(["neuro": .object(["url": .string(publicURL), "token": .string(token)])])
            document.credentials = try ClusterCredentials(document.credentials).merging(neuro).json
        }
        if let issued, !issued.before.hasToken { logger.notice("A cluster got its token", metadata: ["cluster": "\(name)"]) }
    }

    /// Ends all tokens of a cluster.
    func revoke(_ name: ClusterName) async throws { try await auth.deleteUser(try PrincipalName(servicesOf: name)) }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    for name in try await clusters.withoutToken() { await attempt(name) }
                } catch {
                    logger.debug("The clusters without a token cannot be read", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: interval)
            }
        }
    }

    /// One that cannot be provided for must not hold up the others.
    func attempt(_ name: ClusterName) async {
        do {
            try await provide(name)
        } catch {
            guard !Task.isCancelled else { return }
            logger.warning("A cluster gets its token later", metadata: ["cluster": "\(name)", "error": "\(error)"])
        }
    }
}
