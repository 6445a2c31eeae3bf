/// A cookie of ours: for its own host alone, unread by scripts, not sent along with other sites' requests.
struct SetCookie: Hashable, Sendable {
    var name: String
    var value: String
    var isSecure: Bool
    /// Seconds; nil lasts as long as the browser's session, 0 deletes.
    var maxAge: Int?

    static func deleting(_ name: String, isSecure: Bool) -> SetCookie { SetCookie(name: name, value: "", isSecure: isSecure, maxAge: 0) }

    var text: String {
        "\(name)=\(value); Path=/; HttpOnly; SameSite=Lax" + (isSecure ? "; Secure" : "") + (maxAge.map { "; Max-Age=\($0)" } ?? "")
    }
}

/// The names of our cookies. Over https they carry the prefix with which a browser refuses one that another host planted.
struct CookieNames: Hashable, Sendable {
    let isSecure: Bool

    private var prefix: String { isSecure ? "__Host-" : "" }

    /// A visitor's session on one protected host.
    var session: String { prefix + "ia-s" }
    /// Ties a sign-in to the browser and host where it began.
    var nonce: String { prefix + "ia-n" }
    /// The session on the API host, from which those of other hosts are made.
    var signOn: String { prefix + "ia" }
    /// How often a visitor was lately sent to each target.
    var rounds: String { prefix + "ia-rounds" }
    var transactionPrefix: String { prefix + "ingress-auth-tx-" }

    /// Whether a cookie is ours whatever the scheme, and so none of a job's business.
    static func areOurs(_ name: String) -> Bool {
        let bare = name.hasPrefix("__Host-") ? name.dropFirst("__Host-".count) : name[...]
        return ["ia", "ia-s", "ia-n", "ia-rounds"].contains(bare) || bare.hasPrefix("ingress-auth-tx-")
    }
}
