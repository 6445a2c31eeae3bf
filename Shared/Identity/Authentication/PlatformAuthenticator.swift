import Hummingbird
import Logging
import ServiceKit

/// Reads the caller from a request: token from header, WebSocket subprotocol or query, verified on the spot.
///
/// This is the first gate only. Whether the principal still exists and the token was not revoked is answered by auth-api together with the
/// permission check of the route.
public struct PlatformAuthenticator: Authenticator {
    private let verifier: TokenVerifier

    public init(verifier: TokenVerifier) { self.verifier = verifier }

    public func caller(_ request: Request, logger: Logger) async throws -> Caller? {
        guard let token = try TokenExtraction.token(of: request) else { return nil }
        return try await caller(token: token)
    }

    /// The caller of a token that came by another way than a request's head.
    public func caller(token: String) async throws -> Caller {
        Caller(try await verifier.verify(token), token: token)
    }
}

extension Caller {
    /// The caller that a verified token names.
    public init(_ claims: TokenClaims, token: String) {
        let kind: CallerKind =
            switch claims.kind {
            case .user: .user
            case .cluster: .cluster
            case .controlPlane: .controlPlane
            }
        self.init(
            name: claims.name.text, token: token, kind: kind, cluster: claims.cluster, tokenURI: claims.tokenURI?.text,
            issuedAt: claims.issuedAt)
    }
}

/// The authenticator of every service but auth-api: keys from the auth-api at `ORRERY_AUTH_URL`. Handed to `ServiceRunner` as
/// `Identity.authenticator`.
@Sendable public func authenticator(_ context: ServiceContext) async throws -> any Authenticator {
    PlatformAuthenticator(verifier: TokenVerifier(authURL: try context.settings.url("auth.url"), http: context.http))
}
