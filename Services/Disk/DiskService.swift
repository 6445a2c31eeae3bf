import Kubernetes
import PlatformClients
import PlatformModel
import ServiceKit
import ServiceLifecycle

/// disk-api: the persistent disks of a cluster's projects. All that it knows is in Kubernetes.
public struct DiskService: PlatformService {
    public static let name = "disk-api"
    public static let versionName = "platform-disk-api"
    public static var errorRenderer: any ErrorRenderer { DiskErrors() }

    private let disks: Disks
    private let auth: AuthClient
    private let keeper: DiskKeeper
    private let migration: DiskMigration?
    private let crossOrigin: CrossOrigin?
    private let removals: EventConsumer?
    private let documentation: Documentation?
    private let webhook: DiskWebhook?

    public init(_ context: ServiceContext) async throws {
        let settings = context.settings
        let auth = try AuthClient(context)
        let limit = try settings.int("disk.project.limit", default: 500 << 30)
        guard limit > 0 else { throw SettingError("ORRERY_DISK_PROJECT_LIMIT is \(limit); expected bytes, more than 0.") }
        // A request asks several times, and has 30 s in all.
        let patience = Duration.seconds(10)
        let client = try context.kubernetes { $0.callTimeout = patience }
        let virtualClusters = VirtualClusters(
            limit: try settings.int("disk.virtual.clusters", default: 32), callTimeout: patience, logger: context.logger)
        context.run(virtualClusters)
        let store = DiskStore(
            homes: ProjectHomes(host: client, virtual: virtualClusters), storageClass: settings.optional("disk.storage.class"),
            logger: context.logger)
        self.auth = auth
        disks = Disks(
            cluster: try ClusterName(settings.string("cluster.name")), auth: auth, store: store, quota: ProjectQuota(limit: Int64(limit)))
        crossOrigin = try CrossOrigin(settings, below: "/api/v1")
        removals = try EventConsumer(
            removing: context, group: "platform-disk", cluster: ClusterName(settings.string("cluster.name"))
        ) { removal in
            // Every disk belongs to an organization's project.
            guard let org = removal.org else { return }
            try await store.removeAll(in: DiskPlace(org: org, project: removal.project))
        }
        documentation = try settings.bool("documentation", default: false) ? .disks : nil
        var pace = DiskKeeper.Pace()
        pace.usage = try settings.duration("disk.usage.interval", default: pace.usage)
        pace.measuring = try settings.duration("disk.measuring.interval", default: pace.measuring)
        pace.sweeping = try settings.duration("disk.sweeping.interval", default: pace.sweeping)
        keeper = DiskKeeper(store: store, pace: pace, logger: context.logger)
        webhook = try await DiskWebhook(context, cluster: ClusterName(settings.string("cluster.name")), store: store)
        migration = try DiskMigration(settings, store: store, logger: context.logger)
    }

    public func register(on router: PlatformRouter) {
        router.crossOrigin = crossOrigin
        PingRoutes(auth: auth).register(on: router)
        DiskRoutes(disks: disks).register(on: router)
        documentation?.register(on: router)
    }

    public var background: [any Service] {
        var services: [any Service] = [keeper]
        if let removals { services.append(removals) }
        if let migration { services.append(migration) }
        return services + (webhook?.services ?? [])
    }
}
