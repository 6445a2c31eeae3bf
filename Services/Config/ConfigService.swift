import PlatformClients
import ServiceKit
import ServiceLifecycle

/// config-api: what every client reads first, and the configuration of each compute cluster.
public struct ConfigService: PlatformService {
    public static let name = "config-api"

    let clusters: ClusterStore
    let viewers: ClusterViewers
    let bootstrap: Bootstrap
    let domain: String
    let publicURL: String

    public init(_ context: ServiceContext) async throws {
        let settings = context.settings
        let auth = try AuthClient(context)
        publicURL = try settings.url("public.url")
        domain = try settings.string("clusters.domain", default: "localhost")
        clusters = ClusterStore(pool: try await context.postgres(migrations: Migrations.all))
        viewers = ClusterViewers(auth: auth)
        bootstrap = Bootstrap(
            login: try LoginSettings(settings, publicURL: publicURL), clusters: clusters, auth: auth, admin: try AdminClient(context),
            addresses: Bootstrap.Addresses(
                admin: settings.optional("public.admin.url") ?? publicURL + "/apis/admin/v1",
                users: settings.optional("public.users.url") ?? publicURL + "/api/v1/users"))
    }

    public func register(on router: PlatformRouter) {
        BootstrapRoutes(bootstrap: bootstrap).register(on: router)
        ClusterRoutes(clusters: clusters, viewers: viewers, domain: domain, publicURL: publicURL).register(on: router)
        PresetRoutes(clusters: clusters, viewers: viewers).register(on: router)
    }

    public var background: [any Service] { [] }
}
