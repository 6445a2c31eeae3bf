import Identity
import Logging
import Postgres
import Redis
import ServiceKit
import ServiceLifecycle

/// auth-api: principals, their tokens, and what they may do; and how people sign in.
public struct AuthService: PlatformService {
    public static let name = "auth-api"

    let directory: Directory
    let desk: SignInDesk
    let sweeper: Sweeper
    private let crossOrigin: CrossOrigin?
    private let keeper: CopyKeeper
    private let filler: CopyFiller
    private let keyKeeper: KeyKeeper

    public init(_ context: ServiceContext) async throws {
        let oauth = try OAuthSettings(context.settings)
        let pool = try await context.postgres(migrations: Migrations.all)
        let keys = try await KeyRing(context, pool: pool, delay: oauth.keyDelay)
        let audit = AuditLog(pool: pool, logger: context.logger)
        // Redis may be away at start: Postgres answers meanwhile.
        let copy = AccessCopy(
            try await context.redis(), prefix: try context.settings.string("redis.prefix", default: "auth:"))
        let closures = ClosureStore(pool: pool)
        let principals = PrincipalStore(pool: pool)
        let second = RedisClient(copy.redis.configuration, logger: context.logger)
        context.run(second)
        let filler = CopyFiller(copy: copy, closures: closures, redis: second, logger: context.logger)
        let outbox = ACLOutbox(pool: pool, closures: closures, copy: copy, filler: filler)
        directory = Directory(
            judge: Judge(copy: copy, closures: closures, filler: filler, logger: context.logger), principals: principals,
            grants: GrantStore(pool: pool),
            outbox: outbox, keys: keys, audit: audit,
            treeLimit: try context.settings.int("tree.limit", default: 100_000))
        crossOrigin = try CrossOrigin(context.settings, below: "/api/v1/service_accounts")
        keeper = CopyKeeper(
            copy: copy, outbox: outbox, interval: try context.settings.duration("acl.interval", default: .seconds(1)),
            logger: context.logger)
        self.filler = filler
        keyKeeper = KeyKeeper(keys: keys, interval: try context.settings.duration("key.reload", default: .seconds(10)))
        sweeper = Sweeper(pool: pool, settings: oauth, audit: audit, logger: context.logger)
        desk = try SignInDesk(context, oauth, directory: directory, pool: pool)
        let seeded = try await BuiltInPrincipals.seed(principals)
        if !seeded.isEmpty { context.logger.notice("Built-in principals were made or completed", metadata: ["names": "\(seeded)"]) }
        await keeper.look()
        context.watch("acl_copy") { DependencyState(ok: copy.trust != nil, detail: ["whole": "\(filler.isIdle)"]) }
    }

    public var background: [any Service] { [keeper, filler, keyKeeper, sweeper] }

    /// Signature and times only: whether the token stands is part of the one question that each route asks.
    public var authenticator: (any Authenticator)? { KeyRingAuthenticator(keys: directory.keys) }

    public func register(on router: PlatformRouter) {
        router.crossOrigin = crossOrigin
        PrincipalRoutes(directory: directory, origins: desk.origins).register(on: router)
        PermissionRoutes(directory: directory, origins: desk.origins).register(on: router)
        TokenRoutes(directory: directory, origins: desk.origins).register(on: router)
        AuthorizeRoutes(desk: desk, directory: directory).register(on: router)
        SignInRoutes(desk: desk).register(on: router)
        AccountRoutes(desk: desk).register(on: router)
        ProviderRoutes(desk: desk).register(on: router)
        ServiceAccountRoutes(
            accounts: ServiceAccounts(directory: directory, settings: desk.settings), origins: desk.origins
        ).register(on: router)
        AuditRoutes(directory: directory).register(on: router)
    }
}
