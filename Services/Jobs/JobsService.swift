import Hummingbird
import PlatformClients
import ServiceKit
import ServiceLifecycle

/// jobs-api: the job records, and the controller that makes clusters do what the records say.
public struct JobsService: PlatformService {
    public static let name = "jobs-api"
    /// Clients and tests look for the name of old in `X-Service-Version`.
    public static let versionName = "platform-api"
    public static var errorRenderer: any ErrorRenderer { JobErrorRenderer() }

    let store: JobStore
    let clusters: ClusterRegistry
    let effects: JobEffects
    let auth: AuthClient
    let creator: JobCreator
    let policies: JobPolicies
    let controller: JobController
    let removals: EventConsumer?

    public init(_ context: ServiceContext) async throws {
        let settings = context.settings
        let auth = try AuthClient(context)
        let admin = try AdminClient(context)
        let config = try ConfigClient(context)
        let publicURL = try settings.url("public.url")
        let store = JobStore(pool: try await context.postgres(migrations: Migrations.all), logger: context.logger)
        let clusters = ClusterRegistry(
            config: config, interval: try settings.duration("jobs.cluster.interval", default: .seconds(2)), logger: context.logger)
        let effects = JobEffects(store: store, auth: auth, logger: context.logger)
        self.store = store
        self.clusters = clusters
        self.effects = effects
        self.auth = auth
        creator = JobCreator(
            store: store, clusters: clusters, auth: auth, admin: admin, passConfig: PassConfig(auth: auth, url: publicURL + "/api/v1"),
            logger: context.logger)
        let projects = ProjectJobs(store: store, effects: effects, logger: context.logger)
        removals = try EventConsumer(removing: context, group: "platform-api", cluster: nil) { try await projects.cancel($0) }
        policies = JobPolicies(
            store: store, clusters: clusters, effects: effects, admin: admin,
            interval: try settings.duration("jobs.policy.interval", default: .seconds(60)),
            retention: try settings.duration("jobs.retention", default: .seconds(180 * 24 * 3600)), logger: context.logger)
        controller = JobController(
            store: store, effects: effects, clusters: clusters, admin: admin, settings: try ControllerSettings(settings),
            logger: context.logger)
    }

    public func register(on router: PlatformRouter) {
        // For anyone: the platform's clients and probes ask it before they have a token, and it tells nothing.
        router.get("/ping", access: .anyone) { _, _ in HTTPResponse.Status.ok }
        router.get("/api/v1/ping", access: .anyone) { _, _ in HTTPResponse.Status.ok }
        let access = JobAccess(store: store, auth: auth)
        JobCreateRoutes(creator: creator).register(on: router)
        JobListRoutes(store: store, clusters: clusters, auth: auth).register(on: router)
        JobRoutes(access: access, clusters: clusters, store: store, effects: effects).register(on: router)
        ClusterJobRoutes(access: access, store: store, effects: effects).register(on: router)
    }

    public var background: [any Service] { [clusters, policies, controller] + (removals.map { [$0] } ?? []) }
}
