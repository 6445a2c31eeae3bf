import Foundation
import PlatformModel
import ServiceKit

/// What an operator may set (ingress-auth.md 12).
struct IngressSettings: Sendable {
    /// The public origin, without a path.
    let origin: String
    let tokenCookies: [String]
    let platformHosts: [String]
    let home: String
    let crossOrigin: Gatekeeper.CrossOrigin
    let trustedOrigins: Set<String>
    let zoneInterval: Duration
    let cacheTime: Duration
    let negativeCacheTime: Duration
    let callTime: Duration
    let callLimit: Int
    let perPrincipal: Int
    let perAddress: Int
    let trustedProxies: Set<String>
    let sessionLimit: Duration

    var isSecure: Bool { origin.hasPrefix("https://") }

    init(_ settings: Settings) throws {
        func list(_ key: String, default text: String) throws -> [String] {
            try settings.string(key, default: text).split { $0 == "," || $0.isWhitespace }.map(String.init)
        }
        let url = try settings.url("public.url")
        guard let origin = Self.origin(url), origin == url.lowercased() else {
            throw SettingError("ORRERY_PUBLIC_URL is \"\(url)\"; expected an origin such as https://api.example.org, without a path.")
        }
        self.origin = origin
        tokenCookies = try list("ingress.token.cookies", default: "sat,dat")
        guard !tokenCookies.isEmpty, tokenCookies.allSatisfy({ $0.utf8.allSatisfy(Base64URL.isOfAlphabet) && !CookieNames.areOurs($0) })
        else {
            throw SettingError("ORRERY_INGRESS_TOKEN_COOKIES needs at least one name of letters, digits, - and _.")
        }
        platformHosts =
            settings.optional("ingress.platform.hosts") == "-" ? [] : try list("ingress.platform.hosts", default: "grafana,metrics")
        let console = settings.optional("console.url") == nil ? nil : try settings.url("console.url")
        home = console ?? origin + "/oauth/signed-in"
        trustedOrigins = Set([console.flatMap(Self.origin)].compactMap { $0 })
        let reach = try settings.string("ingress.cross.origin", default: "host")
        guard let crossOrigin = Gatekeeper.CrossOrigin(rawValue: reach) else {
            throw SettingError("ORRERY_INGRESS_CROSS_ORIGIN is \"\(reach)\"; expected host or zone.")
        }
        self.crossOrigin = crossOrigin
        zoneInterval = try settings.duration("ingress.zone.interval", default: .seconds(5))
        guard zoneInterval <= .seconds(60) else { throw SettingError("ORRERY_INGRESS_ZONE_INTERVAL is more than 60 seconds.") }
        cacheTime = try settings.duration("ingress.cache.time", default: .seconds(4))
        // What a revoke takes to be felt.
        guard cacheTime <= .seconds(5) else { throw SettingError("ORRERY_INGRESS_CACHE_TIME is more than 5 seconds.") }
        negativeCacheTime = min(cacheTime, .seconds(2))
        callTime = try settings.duration("ingress.call.time", default: .seconds(5))
        callLimit = try settings.int("ingress.calls", default: 200)
        perPrincipal = try settings.int("ingress.principal.rate", default: 50)
        perAddress = try settings.int("ingress.address.rate", default: 1000)
        trustedProxies = Set(try list("ingress.trusted.proxies", default: "127.0.0.1,::1"))
        sessionLimit = try settings.duration("ingress.session.limit", default: .seconds(86_400))
    }

    /// Scheme, host and port of a URL; nil for one of another scheme.
    static func origin(_ url: String) -> String? {
        guard let parts = URLComponents(string: url), let scheme = parts.scheme?.lowercased(), ["http", "https"].contains(scheme),
            let host = parts.host?.lowercased(), !host.isEmpty
        else { return nil }
        return "\(scheme)://\(host)" + (parts.port.map { ":\($0)" } ?? "")
    }

    /// The identity provider's addresses: where auth-api has them unless it is another.
    func provider(_ context: ServiceContext) throws -> IdentityProvider {
        let settings = context.settings
        return IdentityProvider(
            http: context.http, authorizeURL: try settings.url("oauth.auth.url", default: origin + "/auth/authorize"),
            tokenURL: try settings.url("oauth.token.url", default: try settings.url("auth.url") + "/auth/token"),
            logoutURL: try settings.url("oauth.logout.url", default: origin + "/auth/logout"),
            clientID: try settings.string("oauth.web.client.id", default: "orrery-web"),
            clientSecret: try settings.optionalSecret("oauth.web.client.secret"),
            audience: try settings.string("oauth.audience", default: origin), redirectURL: origin + "/oauth/callback",
            loggedOutURL: origin + "/oauth/logged-out")
    }
}
