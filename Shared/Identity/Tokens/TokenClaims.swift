import Foundation
import JWTKit
import PlatformModel

/// The kinds of callers that a token may name.
public enum TokenKind: String, Codable, Hashable, Sendable {
    case user
    case cluster
    case controlPlane = "control_plane"
}

/// The payload of an identity token.
public struct TokenClaims: Hashable, Sendable {
    /// The principal.
    public var name: PrincipalName
    /// Absent in a token means `user`.
    public var kind: TokenKind
    /// The cluster whose services hold the token; always there with kind `cluster`.
    public var cluster: String?
    /// The job for which the token was made.
    public var jobID: String?
    /// The `token:` URI to which the token is bound: it stands only while the principal holds `read` on it.
    public var tokenURI: ResourceURI?
    public var issuer: String?
    public var subject: String?
    public var audience: [String]
    /// Seconds since 1970.
    public var issuedAt: Double?
    /// Seconds since 1970; nil never expires.
    public var expiresAt: Double?
    /// Seconds since 1970.
    public var notBefore: Double?
    public var id: String?
    public var scope: String?

    public init(
        name: PrincipalName, kind: TokenKind = .user, cluster: String? = nil, jobID: String? = nil, tokenURI: ResourceURI? = nil,
        issuer: String? = nil, subject: String? = nil, audience: [String] = [], issuedAt: Date? = Date(), expiresAt: Date? = nil,
        notBefore: Date? = nil, id: String? = nil, scope: String? = nil
    ) {
        self.name = name
        self.kind = kind
        self.cluster = cluster
        self.jobID = jobID
        self.tokenURI = tokenURI
        self.issuer = issuer
        self.subject = subject
        self.audience = audience
        self.issuedAt = issuedAt.map { $0.timeIntervalSince1970.rounded(.down) }
        self.expiresAt = expiresAt.map { $0.timeIntervalSince1970.rounded(.down) }
        self.notBefore = notBefore.map { $0.timeIntervalSince1970.rounded(.down) }
        self.id = id
        self.scope = scope
    }
}

extension TokenClaims: Codable {
    enum CodingKeys: String, CodingKey {
        case name = "https://platform.neuromation.io/user"
        case identity
        case kind = "https://platform.neuromation.io/kind"
        case cluster = "https://platform.neuromation.io/cluster"
        case jobID = "https://platform.neuromation.io/job-id"
        case tokenURI = "https://platform.neuromation.io/token-uri"
        case issuer = "iss"
        case subject = "sub"
        case audience = "aud"
        case issuedAt = "iat"
        case expiresAt = "exp"
        case notBefore = "nbf"
        case id = "jti"
        case scope
    }

    /// Refuses a token with two different identities, with none, with an unknown kind, and a cluster's token that names no cluster.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func refuse(_ key: CodingKeys, _ reason: String) -> DecodingError {
            .dataCorruptedError(forKey: key, in: container, debugDescription: reason)
        }
        let user = try container.decodeIfPresent(PrincipalName.self, forKey: .name)
        let identity = try container.decodeIfPresent(PrincipalName.self, forKey: .identity)
        guard let name = user ?? identity else { throw refuse(.name, "the token names nobody") }
        if let identity, identity != name { throw refuse(.identity, "the token names two principals") }
        self.name = name
        kind = try container.decodeIfPresent(TokenKind.self, forKey: .kind) ?? .user
        cluster = try container.decodeIfPresent(String.self, forKey: .cluster)
        if kind == .cluster, cluster?.isEmpty != false { throw refuse(.cluster, "a cluster's token must name the cluster") }
        jobID = try container.decodeIfPresent(String.self, forKey: .jobID)
        tokenURI = try container.decodeIfPresent(ResourceURI.self, forKey: .tokenURI)
        issuer = try container.decodeIfPresent(String.self, forKey: .issuer)
        subject = try container.decodeIfPresent(String.self, forKey: .subject)
        if let one = try? container.decodeIfPresent(String.self, forKey: .audience) {
            audience = [one]
        } else {
            audience = try container.decodeIfPresent([String].self, forKey: .audience) ?? []
        }
        issuedAt = try container.decodeIfPresent(Double.self, forKey: .issuedAt)
        expiresAt = try container.decodeIfPresent(Double.self, forKey: .expiresAt)
        notBefore = try container.decodeIfPresent(Double.self, forKey: .notBefore)
        id = try container.decodeIfPresent(String.self, forKey: .id)
        scope = try container.decodeIfPresent(String.self, forKey: .scope)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        if kind != .user { try container.encode(kind, forKey: .kind) }
        try container.encodeIfPresent(cluster, forKey: .cluster)
        try container.encodeIfPresent(jobID, forKey: .jobID)
        try container.encodeIfPresent(tokenURI, forKey: .tokenURI)
        try container.encodeIfPresent(issuer, forKey: .issuer)
        try container.encodeIfPresent(subject, forKey: .subject)
        if audience.count == 1 {
            try container.encode(audience[0], forKey: .audience)
        } else if !audience.isEmpty {
            try container.encode(audience, forKey: .audience)
        }
        try container.encodeIfPresent(issuedAt.map { Int64($0) }, forKey: .issuedAt)
        try container.encodeIfPresent(expiresAt.map { Int64($0) }, forKey: .expiresAt)
        try container.encodeIfPresent(notBefore.map { Int64($0) }, forKey: .notBefore)
        try container.encodeIfPresent(id, forKey: .id)
        try container.encodeIfPresent(scope, forKey: .scope)
    }
}

extension TokenClaims: JWTPayload {
    /// Times are checked by ``TokenVerifier``, on cached tokens too.
    public func verify(using algorithm: some JWTAlgorithm) async throws {}

    /// Whether the token stands at `now`, with the leeway (seconds) that clocks of different machines need. What begins a minute from now
    /// is a token of an issuer whose clock is ahead, which harms nobody.
    func refusal(at now: Date, leeway: Double) -> String? {
        let now = now.timeIntervalSince1970
        if let expiresAt, expiresAt + leeway <= now { return "The token has expired" }
        let lag = max(leeway, 60)
        if let notBefore, notBefore - lag > now { return "The token is not valid yet" }
        if let issuedAt, issuedAt - lag > now { return "The token is not valid yet" }
        return nil
    }
}
