import PlatformModel

/// What is asked about one principal: which action it holds on each URI, and optionally all it holds in one scheme.
struct Question: Sendable {
    var principal: PrincipalName
    var uris: [ResourceURI] = []
    /// Asks for every effective grant of this scheme.
    var everything: ResourceScheme?
}

/// The answer to a ``Question``.
struct Verdict: Sendable {
    /// Nil when there is no such principal. Tokens issued before this moment (seconds since 1970) are of an earlier principal of that name.
    var validFrom: Double?
    /// The effective action on each URI, in the order asked; `deny` for all if the principal does not exist.
    var actions: [Action]
    /// All effective grants of the scheme asked for.
    var grants: [Permission] = []

    var exists: Bool { validFrom != nil }
}
