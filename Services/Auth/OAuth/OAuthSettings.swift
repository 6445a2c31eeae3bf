import ServiceKit

/// Where people sign in and for how long that lasts.
struct OAuthSettings: Sendable {
    /// The public origin, which is the issuer's name too.
    let issuer: String
    let audience: String
    /// Seconds.
    let accessLifetime: Int
    let codeLifetime: Int
    /// Of a code that a person copies from a page.
    let shownCodeLifetime: Int
    let sessionLifetime: Int
    /// A refresh token that nobody uses for so long ends.
    let refreshIdleLifetime: Int
    let invitationLifetime: Int
    /// Seconds for which a new key is published before it signs.
    let keyDelay: Int
    /// Days.
    let auditRetention: Int

    /// The gateway of the platform on one machine.
    static let localOrigin = "http://127.0.0.1:8080"

    init(_ settings: Settings) throws {
        issuer = try settings.url("public.url", default: Self.localOrigin)
        audience = try settings.string("oauth.audience", default: issuer)
        func seconds(_ key: String, _ usual: Int, _ range: ClosedRange<Int>) throws -> Int {
            let value = try settings.int(key, default: usual)
            guard range.contains(value) else {
                throw SettingError("\(Settings.variable(key)) is \(value); expected \(range.lowerBound) to \(range.upperBound).")
            }
            return value
        }
        accessLifetime = try seconds("oauth.access.lifetime", 86_400, 10...604_800)
        codeLifetime = try seconds("oauth.code.lifetime", 60, 5...600)
        shownCodeLifetime = try seconds("oauth.shown.code.lifetime", 600, 5...1_800)
        sessionLifetime = try seconds("session.lifetime", 43_200, 60...2_592_000)
        refreshIdleLifetime = try seconds("oauth.refresh.idle.lifetime", 90 * 86_400, 60...(400 * 86_400))
        invitationLifetime = try seconds("invitation.lifetime", 3 * 86_400, 60...Accounts.longestInvitation)
        keyDelay = try seconds("key.delay", 60, 0...86_400)
        auditRetention = try seconds("audit.retention.days", 365, 1...36_500)
    }

    var isSecure: Bool { issuer.hasPrefix("https://") }
    var showCodeURL: String { issuer + SignInPaths.showCode }
}

/// The paths of sign-in, all below one prefix, so that a gateway needs one rule.
enum SignInPaths {
    static let prefix = "/auth"
    static let authorize = "/auth/authorize"
    static let token = "/auth/token"
    static let revoke = "/auth/revoke"
    static let userInfo = "/auth/userinfo"
    static let logout = "/auth/logout"
    static let showCode = "/auth/show-code"
    static let signIn = "/auth/sign-in"
    static let account = "/auth/account"
    static let password = "/auth/account/password"
    static let everywhere = "/auth/account/sign-out-everywhere"
    static let invitation = "/auth/invitation"
    static let styleSheet = "/auth/style.css"

    static func provider(_ id: String) -> String { "/auth/providers/\(id)" }
    static func callback(_ id: String) -> String { "/auth/providers/\(id)/callback" }
}
