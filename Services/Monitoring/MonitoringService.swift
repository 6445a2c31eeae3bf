import Kubernetes
import PlatformClients
import PlatformModel
import ServiceKit
import ServiceLifecycle

/// monitoring-api: what the containers of a cluster's jobs say, and what the cluster has room for. It holds no state.
public struct MonitoringService: PlatformService {
    public static let name = "monitoring-api"
    public static let versionName = "platform-monitoring"
    public static var errorRenderer: any ErrorRenderer { MonitoringErrors() }

    private let logs: LogRoutes
    private let sessionRoutes: SessionRoutes
    private let capacity: CapacityRoutes
    private let sessions = PodSessions()

    public init(_ context: ServiceContext) async throws {
        let settings = context.settings
        let cluster = try ClusterName(settings.string("cluster.name"))
        let auth = try AuthClient(context)
        let config = try ConfigClient(context)
        let access = JobAccess(cluster: cluster.text, jobs: try JobsClient(context), auth: auth)
        let limits = StreamLimits(
            total: try settings.int("monitoring.streams", default: 2000),
            perCaller: try settings.int("monitoring.caller.streams", default: 100))
        let label = try settings.string("monitoring.pool.label", default: "platform.neuromation.io/nodepool")
        var patience = JobLogs.Patience()
        patience.start = try settings.duration("monitoring.start.limit", default: patience.start)
        patience.outage = try settings.duration("monitoring.outage.limit", default: patience.outage)
        var configuration: KubernetesConfiguration
        do {
            configuration =
                try settings.optional("kubeconfig").map { path throws(KubernetesError) in try .kubeconfig(path: path) } ?? .inCluster()
        } catch {
            throw SettingError("\(error)")
        }
        // Followed logs hold a connection each.
        configuration.maximumConnections = try settings.int("monitoring.streams", default: 2000) + 100
        let kubernetes = try KubernetesClient(configuration, logger: context.logger)
        context.run(KubernetesLifetime(client: kubernetes))
        context.watch("kubernetes") {
            do {
                let version = try await withTimeout(.seconds(2)) { try await kubernetes.raw("/version") }
                return DependencyState(ok: true, detail: ["version": version["gitVersion"]?.string ?? ""])
            } catch {
                return DependencyState(ok: false)
            }
        }
        logs = LogRoutes(access: access, kubernetes: kubernetes, limits: limits, patience: patience)
        sessionRoutes = SessionRoutes(access: access, kubernetes: kubernetes, limits: limits, sessions: sessions)
        capacity = CapacityRoutes(cluster: cluster, label: label, auth: auth, config: config, kubernetes: kubernetes)
    }

    public func register(on router: PlatformRouter) {
        capacity.register(on: router)
        logs.register(on: router)
        sessionRoutes.register(on: router)
    }

    public var background: [any Service] { [sessions] }
}

/// Closes the connections to Kubernetes after everything that uses them has stopped.
private struct KubernetesLifetime: Service {
    let client: KubernetesClient

    func run() async throws {
        try? await gracefulShutdown()
        try await client.shutdown()
    }
}
