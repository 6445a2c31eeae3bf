/// What a route is expected to answer, by who asks.
struct Rule: Sendable {
    /// What those get whose token stands.
    let answers: [Visitor: Int]
    /// What those get who bring no token.
    var withoutToken = 401
    /// What those get whose token does not stand.
    var withBadToken = 401
    /// Where looking (HEAD) is answered otherwise than reading.
    var onLooking: Int?

    private init(_ answer: (Visitor) -> Int) {
        answers = Dictionary(uniqueKeysWithValues: Visitor.allCases.map { ($0, answer($0)) })
    }

    /// All get the same, whatever they bring.
    static func anyone(_ status: Int) -> Rule {
        var rule = Rule { _ in status }
        rule.withoutToken = status
        rule.withBadToken = status
        return rule
    }

    /// Whoever's token stands; lists show each what is his (which is asserted of another tenant's answers).
    static func principals(_ status: Int) -> Rule { Rule { _ in status } }
    /// Whoever belongs to the cluster.
    static func inCluster(_ status: Int, refusal: Int = 403) -> Rule { from(.stranger, status, refusal) }
    /// Who belongs to the tenant, if only to read.
    static func members(_ status: Int, refusal: Int = 403) -> Rule { from(.reader, status, refusal) }
    /// Who administers the tenant.
    static func owners(_ status: Int, refusal: Int = 403) -> Rule { from(.owner, status, refusal) }
    /// The platform's operators alone.
    static func operators(_ status: Int, refusal: Int = 403) -> Rule { from(.admin, status, refusal) }
    /// The tenant's administrator alone: what is each one's own.
    static func owner(_ status: Int, refusal: Int) -> Rule { Rule { $0 == .owner ? status : refusal } }

    private static func from(_ weakest: Visitor, _ status: Int, _ refusal: Int) -> Rule { Rule { $0 < weakest ? refusal : status } }

    /// The same, but for some.
    func but(_ visitor: Visitor, _ status: Int) -> Rule {
        var rule = Rule { $0 == visitor ? status : answers[$0] ?? 0 }
        (rule.withoutToken, rule.withBadToken, rule.onLooking) = (withoutToken, withBadToken, onLooking)
        return rule
    }

    /// The same, but for those who bring no token.
    func withoutToken(_ status: Int) -> Rule {
        var rule = self
        rule.withoutToken = status
        return rule
    }

    /// The same, but HEAD.
    func looking(_ status: Int) -> Rule {
        var rule = self
        rule.onLooking = status
        return rule
    }
}
