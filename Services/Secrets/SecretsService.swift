import Kubernetes
import PlatformClients
import PlatformModel
import ServiceKit
import ServiceLifecycle

/// secrets-api: small values that people keep for their jobs, as keys of one Kubernetes Secret a project. It holds no state.
public struct SecretsService: PlatformService {
    public static let name = "secrets-api"
    public static let versionName = "platform-secrets"
    public static var errorRenderer: any ErrorRenderer { SecretsErrors() }

    private let routes: SecretRoutes
    private let virtualClusters: VirtualClusters
    private let removals: EventConsumer?

    public init(_ context: ServiceContext) async throws {
        let settings = context.settings
        let cluster = try ClusterName(settings.string("cluster.name"))
        let auth = try AuthClient(context)
        let limit = try settings.duration("secrets.kubernetes.limit", default: .seconds(10))
        let kubernetes = try context.kubernetes { $0.callTimeout = limit }
        let virtualClusters = VirtualClusters(
            limit: try settings.int("secrets.virtual.clusters", default: 32), callTimeout: limit,
            logger: context.logger)
        context.run(virtualClusters)
        self.virtualClusters = virtualClusters
        let store = SecretStore(homes: ProjectHomes(host: kubernetes, virtual: virtualClusters), logger: context.logger)
        removals = try EventConsumer(removing: context, group: "platform-secrets", cluster: cluster) { removal in
            // Every secret belongs to an organization's project.
            guard let org = removal.org else { return }
            try await store.removeAll(of: SecretPlace(org: org, project: removal.project))
        }
        routes = SecretRoutes(access: SecretAccess(cluster: cluster, auth: auth), store: store, auth: auth)
    }

    public var background: [any Service] { removals.map { [$0] } ?? [] }

    public func register(on router: PlatformRouter) { routes.register(on: router) }
}
