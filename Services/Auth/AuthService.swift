import Identity
import Logging
import Redis
import ServiceKit
import ServiceLifecycle

/// auth-api: principals, their tokens, and what they may do.
public struct AuthService: PlatformService {
    public static let name = "auth-api"

    let directory: Directory
    private let keeper: CopyKeeper
    private let localAuthenticator: PlatformAuthenticator

    public init(_ context: ServiceContext) async throws {
        let signer: TokenSigner
        do {
            signer = try await TokenSigner(pem: context.settings.secret("auth.signing-keys").value)
        } catch let error as SigningKeyError {
            throw SettingError("The secret ORRERY_AUTH_SIGNING_KEYS cannot be used: \(error).")
        }
        let pool = try await context.postgres(migrations: Migrations.all)
        // Redis may be away at start: Postgres answers meanwhile.
        let copy = AccessCopy(
            try await context.redis(), prefix: try context.settings.string("redis.prefix", default: "auth:"))
        let closures = ClosureStore(pool: pool)
        let principals = PrincipalStore(pool: pool)
        let outbox = ACLOutbox(pool: pool, closures: closures, copy: copy)
        directory = Directory(
            judge: Judge(copy: copy, closures: closures, logger: context.logger), principals: principals, grants: GrantStore(pool: pool),
            outbox: outbox, signer: signer, logger: context.logger)
        keeper = CopyKeeper(copy: copy, outbox: outbox, logger: context.logger)
        localAuthenticator = PlatformAuthenticator(verifier: TokenVerifier(keys: signer.publicKeys, clock: context.clock))
        let seeded = try await BuiltInPrincipals.seed(principals)
        if !seeded.isEmpty { context.logger.notice("Built-in principals were made or completed", metadata: ["names": "\(seeded)"]) }
        await keeper.look()
        context.watch("acl_copy") { DependencyState(ok: copy.trust != nil) }
    }

    public var background: [any Service] { [keeper] }

    /// Signature and times only: whether the token stands is part of the one question that each route asks.
    public var authenticator: (any Authenticator)? { localAuthenticator }

    public func register(on router: PlatformRouter) {
        PrincipalRoutes(directory: directory).register(on: router)
        PermissionRoutes(directory: directory).register(on: router)
        TokenRoutes(directory: directory).register(on: router)
    }
}
