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
        let streams = try settings.int("monitoring.streams", default: 2000)
        let limits = StreamLimits(
            total: streams,
            perCaller: try settings.int("monitoring.caller.streams", default: 100))
        let label = try settings.string("monitoring.pool.label", default: "platform.neuromation.io/nodepool")
        var patience = JobLogs.Patience()
        patience.start = try settings.duration("monitoring.start.limit", default: patience.start)
        patience.outage = try settings.duration("monitoring.outage.limit", default: patience.outage)
        let kubernetes = try context.kubernetes {
            // Followed logs hold a connection each.
            $0.maximumConnections = streams + 100
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
