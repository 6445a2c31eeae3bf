/// Who asks: what the authenticator read from a token that passed the local gate.
public struct Caller: Sendable, Equatable {
    /// The principal's name (`alice`, `alice/service-accounts/ci`, `project:…`).
    public let name: String
    /// The token itself, passed on when this service asks auth-api in the caller's name.
    public let token: String
    /// What kind of principal it is.
    public let kind: CallerKind
    /// The cluster a cluster's token belongs to.
    public let cluster: String?
    /// The `uri` claim of a token that was issued for one resource (a job's token).
    public let tokenURI: String?
    /// When the token was issued, in seconds since 1970; nil when it does not say.
    public let issuedAt: Double?

    /// Made by the authenticator.
    public init(
        name: String, token: String, kind: CallerKind = .user, cluster: String? = nil, tokenURI: String? = nil, issuedAt: Double? = nil
    ) {
        self.name = name
        self.token = token
        self.kind = kind
        self.cluster = cluster
        self.tokenURI = tokenURI
        self.issuedAt = issuedAt
    }
}

/// The kinds of principals.
public enum CallerKind: String, Sendable, Equatable {
    /// A person or a service account.
    case user
    /// The services of one compute cluster.
    case cluster
    /// The services of the control plane.
    case controlPlane
}
