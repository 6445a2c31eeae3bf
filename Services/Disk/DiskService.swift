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
    private let removals: EventConsumer?

    public init(_ context: ServiceContext) async throws {
        let settings = context.settings
        let auth = try AuthClient(context)
        let limit = try settings.int("disk.project.limit", default: 500 << 30)
        guard limit > 0 else { throw SettingError("ORRERY_DISK_PROJECT_LIMIT is \(limit); expected bytes, more than 0.") }
        let client = try Self.kubernetes(context)
        let store = DiskStore(client: client, storageClass: settings.optional("disk.storage.class"), logger: context.logger)
        self.auth = auth
        disks = Disks(
            cluster: try ClusterName(settings.string("cluster.name")), auth: auth, store: store, quota: ProjectQuota(limit: Int64(limit)))
        removals = try EventConsumer(
            removing: context, group: "platform-disk", cluster: ClusterName(settings.string("cluster.name"))
        ) { removal in
            // Every disk belongs to an organization's project.
            guard let org = removal.org else { return }
            try await store.removeAll(in: DiskPlace(org: org, project: removal.project))
        }
        var pace = DiskKeeper.Pace()
        pace.usage = try settings.duration("disk.usage.interval", default: pace.usage)
        pace.measuring = try settings.duration("disk.measuring.interval", default: pace.measuring)
        pace.sweeping = try settings.duration("disk.sweeping.interval", default: pace.sweeping)
        keeper = DiskKeeper(store: store, pace: pace, logger: context.logger)
    }

    public func register(on router: PlatformRouter) {
        PingRoutes(auth: auth).register(on: router)
        DiskRoutes(disks: disks).register(on: router)
    }

    public var background: [any Service] { [keeper] + (removals.map { [$0] } ?? []) }

    private static func kubernetes(_ context: ServiceContext) throws -> KubernetesClient {
        let configuration: KubernetesConfiguration
        do {
            configuration =
                try context.settings.optional("kubeconfig").map { path throws(KubernetesError) in try .kubeconfig(path: path) }
                ?? .inCluster()
        } catch {
            throw SettingError("\(error)")
        }
        var bounded = configuration
        // A request asks several times, and has 30 s in all.
        bounded.callTimeout = .seconds(10)
        let client = try KubernetesClient(bounded, logger: context.logger)
        context.run(KubernetesLifetime(client: client))
        context.watch("kubernetes") {
            do {
                let version = try await withTimeout(.seconds(2)) { try await client.raw("/version") }
                return DependencyState(ok: true, detail: ["version": version["gitVersion"]?.string ?? ""])
            } catch {
                return DependencyState(ok: false)
            }
        }
        return client
    }
}

/// Closes the connections to Kubernetes after everything that uses them has stopped.
private struct KubernetesLifetime: Service {
    let client: KubernetesClient

    func run() async throws {
        try? await gracefulShutdown()
        try await client.shutdown()
    }
}
