import Identity
import PlatformClients
import PlatformModel
import Redis
import ServiceKit
import ServiceLifecycle

/// ingress-auth: asked by the gateways about every request to a protected host, and signs browsers in.
public struct IngressAuthService: PlatformService {
    public static let name = "ingress-auth"
    public static let versionName = "platform-ingress-auth"

    private let zones: ZoneTable
    private let authorize: AuthorizeRoutes
    private let pages: SignInRoutes

    public init(_ context: ServiceContext) async throws {
        let settings = try IngressSettings(context.settings)
        let keys = try KeyRing(context.settings)
        let provider = try settings.provider(context)
        let zones = ZoneTable(
            config: try ConfigClient(context), interval: settings.zoneInterval, platformHosts: settings.platformHosts,
            logger: context.logger)
        let calls = OutgoingCalls(limit: settings.callLimit, time: settings.callTime, perPrincipal: settings.perPrincipal)
        let judge = Judge(
            verifier: TokenVerifier(authURL: try context.settings.url("auth.url"), http: context.http, patience: .seconds(3)),
            auth: try AuthClient(context), calls: calls, verdicts: AnswerCache(capacity: 50_000), lifetime: settings.cacheTime,
            negativeLifetime: settings.negativeCacheTime)
        let finder = ResourceFinder(
            jobs: try JobsClient(context), apps: try AppsClient(context), calls: calls, found: AnswerCache(capacity: 10_000),
            lifetime: settings.cacheTime, negativeLifetime: settings.negativeCacheTime)
        let vault = Vault(
            redis: try await Self.redis(context, settings.callTime),
            prefix: try context.settings.string("redis.prefix", default: "") + "ingress:", keys: keys)
        let sessions = SessionStore(vault: vault, limit: settings.sessionLimit, clock: context.clock)
        let tickets = TicketOffice(vault: vault)
        let words = Pages(origin: settings.origin, logoutOrigin: IngressSettings.origin(provider.logoutURL) ?? settings.origin)
        let names = CookieNames(isSecure: settings.isSecure)
        let returns = Returns(
            zones: zones, sessions: sessions, tickets: tickets, judge: judge, pageCookie: settings.tokenCookies.last ?? "dat",
            clock: context.clock)
        let gatekeeper = Gatekeeper(
            zones: zones, judge: judge, finder: finder, sessions: sessions, returns: returns, tokenCookies: settings.tokenCookies,
            crossOrigin: settings.crossOrigin, trustedOrigins: settings.trustedOrigins)
        authorize = AuthorizeRoutes(
            gatekeeper: gatekeeper, answers: Answers(keys: keys, pages: words, origin: settings.origin, clock: context.clock),
            addresses: ClientAddresses(trusted: settings.trustedProxies, limiter: RateLimiter(perSecond: settings.perAddress)),
            metrics: context.metrics, limit: settings.callTime)
        pages = SignInRoutes(
            signIn: SignIn(
                provider: provider, zones: zones, judge: judge, sessions: sessions, tickets: tickets, vault: vault, keys: keys,
                names: names,
                home: settings.home, pages: words, clock: context.clock),
            signOut: SignOut(sessions: sessions, keys: keys, names: names, provider: provider, pages: words), pages: words,
            isSecure: settings.isSecure)
        self.zones = zones
        context.watch("clusters") { DependencyState(ok: zones.isKnown) }
    }

    /// A connection on which nobody waits longer than a question may take in all.
    private static func redis(_ context: ServiceContext, _ limit: Duration) async throws -> RedisClient {
        var configuration = try await context.redis().configuration
        configuration.waitLimit = min(configuration.waitLimit, limit * 4 / 5)
        configuration.commandTimeout = min(configuration.commandTimeout, limit * 4 / 5)
        let client = RedisClient(configuration, logger: context.logger)
        context.run(client)
        return client
    }

    public func register(on router: PlatformRouter) {
        authorize.register(on: router)
        pages.register(on: router)
        FallbackRoutes().register(on: router)
    }

    public var background: [any Service] { [zones] }
}
