import PlatformClients
import ServiceKit
import ServiceLifecycle

/// config-api: what every client reads first, and the configuration of each compute cluster.
public struct ConfigService: PlatformService {
    public static let name = "config-api"

    private let clusters: Clusters
    private let viewers: ClusterViewers
    private let bootstrap: Bootstrap
    private let feed: ChangeFeed

    public init(_ context: ServiceContext) async throws {
        let settings = context.settings
        let auth = try AuthClient(context)
        let publicURL = try settings.url("public.url")
        let domain = try settings.string("clusters.domain", default: "localhost")
        let seal = try CredentialsSeal(settings)
        let pool = try await context.postgres(migrations: Migrations.all)
        let store = ClusterStore(pool: pool, seal: seal)
        do {
            let sealed = try await store.sealAll()
            if !sealed.isEmpty { context.logger.notice("Credentials were sealed", metadata: ["clusters": "\(sealed)"]) }
        } catch let error as SealError {
            throw SettingError("\(error)")
        }
        clusters = Clusters(
            store: store,
            tokens: ClusterTokens(
                clusters: store, auth: auth, publicURL: publicURL,
                interval: try settings.duration("config.token.interval", default: .seconds(30)), logger: context.logger),
            domain: domain, publicURL: publicURL, logger: context.logger)
        viewers = ClusterViewers(
            auth: auth,
            addresses: ClusterCredentials.Addresses(
                platform: publicURL, helm: settings.optional("public.helm.url"), registry: settings.optional("public.registry.url")))
        bootstrap = Bootstrap(
            login: try LoginSettings(settings, publicURL: publicURL), clusters: store, auth: auth, admin: try AdminClient(context),
            addresses: Bootstrap.Addresses(
                admin: settings.optional("public.admin.url") ?? publicURL + "/apis/admin/v1",
                vcluster: settings.optional("public.vcluster.url") ?? publicURL + "/apis/vcluster/v1",
                users: settings.optional("public.users.url") ?? publicURL + "/api/v1/users"))
        feed = ChangeFeed(
            configuration: pool.configuration,
            limits: (
                total: try settings.int("config.followers", default: 1000),
                perCaller: try settings.int("config.caller.followers", default: 50)
            ), logger: context.logger)
    }

    public func register(on router: PlatformRouter) {
        BootstrapRoutes(bootstrap: bootstrap).register(on: router)
        ClusterRoutes(clusters: clusters, viewers: viewers, following: Following(feed: feed, viewers: viewers)).register(on: router)
        PresetRoutes(clusters: clusters, viewers: viewers).register(on: router)
    }

    public var background: [any Service] { [feed, clusters.tokens] }
}
