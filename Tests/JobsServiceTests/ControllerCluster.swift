import AsyncHTTPClient
import Foundation
import Kubernetes
import Logging
import PlatformClients
import PlatformModel
import Postgres
import ServiceKit
import TestSupport
import Testing

@testable import JobsService

/// A controller on a genuine cluster: a database and a project of its own, gone afterwards.
struct ControllerCluster: Sendable {
    static var kubeconfig: String? { ProcessInfo.processInfo.environment["ORRERY_TEST_KUBECONFIG"] }

    let store: JobStore
    let client: KubernetesClient
    let project: String
    let document: Mutexed<ClusterDocument>
    var settings: ControllerSettings
    let logger: Logger

    static func with(
        server: String? = nil, imagePullDelay: Duration = .seconds(60), _ body: (ControllerCluster) async throws -> Void
    ) async throws {
        try await Fixture.withStore { store in
            let logger = Logger(label: "controller-tests")
            var text = try String(contentsOfFile: try #require(kubeconfig), encoding: .utf8)
            let client = try KubernetesClient(.kubeconfig(text: text), logger: logger)
            if let server { text = text.replacing(client.configuration.server, with: server) }
            var document = try Fixture.document()
            document.kubernetes = KubernetesCredentials(kubeconfig: text)
            document.orchestrator.resourcePoolTypes.append(ResourcePoolType(name: "huge", cpu: 1000, memory: 1 << 50))
            var settings = ControllerSettings(registryPassword: Secret("unused"))
            settings.imagePullDelay = imagePullDelay
            settings.nodePoolLabel = ""
            settings.resyncInterval = .seconds(2)
            let cluster = ControllerCluster(
                store: store, client: client, project: "t" + UUID().uuidString.lowercased().prefix(8), document: Mutexed(document),
                settings: settings, logger: logger)
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await body(cluster)) } catch { outcome = .failure(error) }
            try? await client.delete(.namespaces, JobPlace(org: "acme", project: cluster.project).namespace)
            try await client.shutdown()
            try outcome.get()
        }
    }

    static func serverPort() throws -> Int {
        let configuration = try KubernetesConfiguration.kubeconfig(path: try #require(kubeconfig))
        return try #require(URL(string: configuration.server)?.port)
    }

    /// A process's controller, until its task is cancelled.
    func controller(_ holder: String = "a") -> Task<Void, Never> {
        let auth = AuthClient(http: .shared, baseURL: "http://127.0.0.1:9")
        let controller = ClusterController(
            name: Fixture.cluster, document: document, store: store,
            effects: JobEffects(store: store, auth: auth, logger: logger), settings: settings,
            gate: QuotaGate(store: store) { _ in .init() },
            keeper: LeaseKeeper(cluster: Fixture.cluster, holder: holder, configuration: store.pool.configuration, logger: logger),
            logger: logger)
        return Task { await controller.run() }
    }

    func withController(_ body: () async throws -> Void) async throws {
        let task = controller()
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
        task.cancel()
        await task.value
        try outcome.get()
    }

    func insert(_ script: String, name: String? = nil, _ change: (inout JobSpec) -> Void = { _ in }) async throws -> JobRecord {
        var container = JobContainer(
            image: "registry.local/busybox", command: "sh -c '\(script)'", resources: JobResources(cpu: 0.05, memory: 32 << 20))
        container.http = .init(port: 80, requiresAuth: true)
        var spec = JobSpec(container: container)
        change(&spec)
        return try await store.insert(Fixture.draft(name: name, project: project, spec: spec))
    }

    /// The record once it is as wanted; woken by what the database announces.
    @discardableResult
    func wait(_ id: JobID, _ wanted: (JobRecord) -> Bool) async throws -> JobRecord {
        let connection = try await PostgresConnection.connect(store.pool.configuration, logger: logger)
        defer { Task { await connection.close() } }
        let changes = try await connection.notifications(on: [JobStore.changesChannel])
        if let job = try await store.job(id), wanted(job) { return job }
        for try await _ in changes { if let job = try await store.job(id), wanted(job) { return job } }
        throw CancellationError()
    }

    func pods(_ job: JobRecord) async throws -> [Pod] {
        try await client.list(.pods, in: job.namespace, labels: Selector([JobLabels.job: job.id.text])).items
    }

    /// Until the pods of a job are gone or going.
    func waitUntilPodsGo(_ job: JobRecord) async throws {
        for await event in client.watch(.pods, in: job.namespace, labels: Selector([JobLabels.job: job.id.text])) {
            switch event {
            case .listed(let pods): if pods.allSatisfy({ $0.metadata.deletionTimestamp != nil }) { return }
            case .modified(let pod): if pod.metadata.deletionTimestamp != nil { return }
            case .deleted: return
            case .added: continue
            }
        }
    }
}
