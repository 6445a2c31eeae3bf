import Hummingbird
import Kubernetes
import Logging
import ServiceKit
import ServiceLifecycle

/// The API of the cluster over its store: all routes, and the loops without which objects would not follow each other.
struct ClusterAPI: Sendable {
    let objects: ObjectAPI
    let faults: FaultInjector
    /// What answers for the streams of pods.
    var connections: (any PodConnections)?
    /// What runs the pods.
    var agent: (any NodeAgent)?
    /// Ready when all of them are well.
    var checks: [ReadinessCheck] = []

    private let logger: Logger

    /// Makes the namespaces that every cluster has.
    init(store: ObjectStore, allowsFaults: Bool, logger: Logger) async throws {
        objects = ObjectAPI(store: store, kinds: store.kinds, addresses: ServiceAddresses(store: store), logger: logger)
        faults = FaultInjector(isAllowed: allowsFaults)
        self.logger = logger
        try await NamespaceKeeper.prepare(objects)
    }

    var loops: [any Service] {
        [
            HistoryKeeper(store: objects.store), NamespaceKeeper(objects: objects, logger: logger),
            DefinitionKeeper(objects: objects, logger: logger), Collector(objects: objects, logger: logger),
        ]
    }

    func register(on router: PlatformRouter) {
        ResourceRoutes(objects: objects, discovery: Discovery(kinds: objects.kinds), connections: connections, faults: faults)
            .register(on: router)
        OpenAPI(kinds: objects.kinds).register(on: router)
        FaultRoutes(injector: faults, objects: objects, agent: agent).register(on: router)
        HealthRoutes(checks: checks).register(on: router)
    }
}
