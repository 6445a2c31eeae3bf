/// Those whose tokens stand, from the one who may do the least to the one who may do the most.
enum Visitor: String, CaseIterable, Comparable, Sendable {
    /// Registered, and a member of nothing.
    case outsider = "olive"
    /// Another tenant in the same cluster: the administrator of the organization `beta` and of its project.
    case stranger = "sam"
    /// A user of the organization `zenith` who reads its project `vision`.
    case reader = "rita"
    /// The administrator of `zenith` and of `vision`, and of the clusters that she made: `annex`, `scrap` and `doomed`.
    case owner = "alice"
    /// The operator of the platform.
    case admin

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    static func < (one: Visitor, other: Visitor) -> Bool { one.rank < other.rank }
}

/// Tokens that must open nothing.
enum BadToken: String, CaseIterable, Sendable {
    case malformed = "a malformed token"
    case expired = "an expired token"
    case foreign = "a token of another issuer"
    case forged = "a token with another's signature"
    case altered = "a token whose claims were changed"
    case unsigned = "a token with the algorithm none"
    case deleted = "the token of somebody deleted"
}
