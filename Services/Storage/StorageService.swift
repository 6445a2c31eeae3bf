import Hummingbird
import PlatformClients
import PlatformModel
import ServiceKit
import ServiceLifecycle

/// storage-api: the files of a cluster, over HTTP (storage.md). It holds no state about them: any number of replicas may serve one storage.
public struct StorageService: PlatformService {
    public static let name = "storage-api"
    public static let versionName = "platform-storage-api"
    public static var errorRenderer: any ErrorRenderer { StorageErrors() }

    let routes: StorageRoutes
    private let usage: UsageCollector?
    private let webhook: AdmissionWebhook?
    private let removals: EventConsumer?

    public init(_ context: ServiceContext) async throws {
        let settings = context.settings
        let cluster = try ClusterName(settings.string("cluster.name")).text
        let table = try StorageTable(settings, cluster: cluster)
        var times = PermissionCache.Times()
        times.expiration = try settings.duration("storage.permission.expiration", default: .zero)
        times.forgetting = max(times.expiration, try settings.duration("storage.permission.forgetting", default: times.expiration * 10))
        let permissions = PermissionCache(AuthPermissions(cluster: cluster, auth: try AuthClient(context)), times)
        let projects = try settings.optional("admin.url").map { _ in
            ProjectFolders(cluster: try ClusterName(cluster), http: context.http, adminURL: try settings.url("admin.url"))
        }
        let sockets = StreamLimits(
            total: try settings.int("storage.sockets", default: 32), perCaller: try settings.int("storage.caller.sockets", default: 8))
        routes = StorageRoutes(
            table: table, access: StorageAccess(permissions: permissions), projects: projects, sockets: sockets,
            recheck: times.expiration > .zero ? times.expiration : .seconds(10), clock: context.clock)
        usage = try UsageCollector(context, cluster: ClusterName(cluster), table: table)
        webhook = try await AdmissionWebhook(context, cluster: cluster, table: table)
        let files = ProjectFiles(storages: table.ofProjects)
        removals = try EventConsumer(removing: context, group: "platform-storage", cluster: ClusterName(cluster)) {
            try await files.remove($0)
        }
        context.run(FileWorkLifetime(all: table.all.map(\.work)))
    }

    public func register(on router: PlatformRouter) {
        // For anyone: load balancers have no credentials, and it tells nothing.
        router.get("/api/v1/ping", access: .anyone) { _, _ in Response(status: .ok) }
        routes.register(on: router)
    }

    public var background: [any Service] {
        (webhook?.services ?? []) + ([usage, removals] as [(any Service)?]).compactMap(\.self)
    }
}
