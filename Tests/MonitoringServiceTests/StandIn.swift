import Foundation
import Hummingbird
import Logging
import NIOCore
import PlatformModel
import ServiceKit
import ServiceLifecycle
import Synchronization

/// An HTTP server that answers as it is told; in the place of a service or an API server that a test needs to misbehave.
struct StandIn: Sendable {
    typealias Answer = @Sendable (Request) async throws -> Response

    static func run<T: Sendable>(_ answer: @escaping Answer, _ body: @Sendable (String) async throws -> T) async throws -> T {
        let (ports, found) = AsyncStream.makeStream(of: Int.self)
        var logger = Logger(label: "stand-in")
        logger.logLevel = .critical
        let application = Application(
            responder: CallbackResponder { (request: Request, _: BasicRequestContext) in try await answer(request) },
            configuration: .init(address: .hostname("127.0.0.1", port: 0)), onServerRunning: { found.yield($0.localAddress?.port ?? 0) },
            logger: logger)
        let group = ServiceGroup(configuration: .init(services: [application], logger: logger))
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try? await group.run() }
            let port = await ports.first { _ in true } ?? 0
            defer { tasks.cancelAll() }
            return try await body("http://127.0.0.1:\(port)")
        }
    }

    static func json(_ text: String, status: Int = 200) -> Response {
        Response(
            status: .init(code: status), headers: [.contentType: "application/json"], body: .init(byteBuffer: ByteBuffer(string: text)))
    }

    struct Dropped: Error {}

    /// A body that ends in order, or breaks off.
    static func stream(_ text: String, breaks: Bool = false) -> Response {
        Response(
            status: .ok,
            body: ResponseBody { writer in
                try await writer.write(ByteBuffer(string: text))
                if breaks { throw Dropped() }
                try await writer.finish(nil)
            })
    }
}

/// auth-api, jobs-api and config-api as far as monitoring asks them: every token stands, what is not denied is allowed.
final class ControlPlane: Sendable {
    struct State: Sendable {
        var jobs: [String: JobResponse] = [:]
        var denied: Set<String> = []
        var cluster: ClusterDocument?
    }
    let state = Mutex(State())

    func answer(_ request: Request) async throws -> Response {
        let path = request.uri.path
        if path.hasSuffix("/permissions/check") {
            let body = try await request.body.collect(upTo: 1 << 20)
            let asked = try JSONDecoder().decode([Permission].self, from: Data(body.readableBytesView))
            let missing = state.withLock { state in asked.filter { state.denied.contains($0.uri.text) } }
            return StandIn.json(String(decoding: try PlatformJSON.encoder().encode(MissingPermissions(missing: missing)), as: UTF8.self))
        }
        if path.hasPrefix("/api/v1/users/") { return StandIn.json(#"{"name": "alice"}"#) }
        if path.hasPrefix("/api/v1/jobs/"), let id = path.split(separator: "/").last {
            guard let job = state.withLock({ $0.jobs[String(id)] }) else { return StandIn.json(#"{"error": "no such job"}"#, status: 400) }
            return StandIn.json(String(decoding: try PlatformJSON.encoder().encode(job), as: UTF8.self))
        }
        if path.hasPrefix("/api/v1/clusters/"), let cluster = state.withLock({ $0.cluster }) {
            return StandIn.json(String(decoding: try PlatformJSON.encoder().encode(cluster), as: UTF8.self))
        }
        return StandIn.json(#"{"error": "unknown"}"#, status: 404)
    }

    /// Adds a job, or changes its status.
    @discardableResult
    func set(_ id: JobID, _ status: JobStatus, name: String? = nil, namespace: String = "n", cluster: String = "default") throws
        -> JobResponse
    {
        let item = JobStatusItem(status, at: .now)
        guard let history = JobHistory([item], now: .now) else { throw StandIn.Dropped() }
        let job = JobResponse(
            id: id, owner: "alice", namespace: namespace, clusterName: cluster, orgName: "org", projectName: "project", orgProjectHash: "h",
            uri: "job://\(cluster)/org/project/\(id.text)", name: name, presetName: nil, description: nil, tags: [], statuses: [item],
            history: history, container: JobContainer(image: "i", resources: JobResources(cpu: 1, memory: 1)), schedulerEnabled: false,
            preemptibleNode: false, passConfig: false, privileged: false, materialized: true, beingDropped: false, logsRemoved: false,
            restartPolicy: .never, priority: .normal, totalPriceCredits: .zero, priceCreditsPerHour: .zero, internalHostname: "x",
            internalHostnameNamed: nil, httpURL: nil, httpURLNamed: nil, scheduleTimeout: nil, maxRunTimeMinutes: nil,
            energyScheduleName: nil)
        state.withLock { $0.jobs[id.text] = job }
        return job
    }
}
