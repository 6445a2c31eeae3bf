/// The answer to the gateway's question, and what it rests on.
struct Decision: Sendable {
    /// The headers that take the place of the visitor's own.
    struct PassedOn: Hashable, Sendable {
        /// nil: none.
        let cookie: String?
        let authorization: [String]
    }

    enum Outcome: Sendable {
        /// nil: the headers stay as they are.
        case allowed(PassedOn?)
        case notSignedIn
        case forbidden
        /// The host is none of ours.
        case foreignHost
        /// A page of another host tried to use the visitor's cookies.
        case foreignOrigin
        /// Two token cookies that differ, where one alone may count.
        case ambiguousCookies
        /// The visitor came back from signing in.
        case returned(to: String, cookies: [SetCookie])
        /// He came back with a ticket that is none.
        case lost
    }

    let outcome: Outcome
    let place: PlacedHost?
    /// A verified one.
    let principal: String?

    init(_ outcome: Outcome, place: PlacedHost? = nil, principal: String? = nil) {
        self.outcome = outcome
        self.place = place
        self.principal = principal
    }

    /// For the log.
    var name: String {
        switch outcome {
        case .allowed: "allowed"
        case .notSignedIn: "not signed in"
        case .forbidden: "forbidden"
        case .foreignHost: "foreign host"
        case .foreignOrigin: "foreign origin"
        case .ambiguousCookies: "ambiguous cookies"
        case .returned: "returned"
        case .lost: "lost"
        }
    }
}
