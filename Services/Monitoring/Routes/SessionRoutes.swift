import Hummingbird
import Kubernetes
import Logging
import PlatformModel
import ServiceKit
import WebSocket

/// Attach and exec (monitoring.md 11).
struct SessionRoutes: Sendable {
    let access: JobAccess
    let kubernetes: KubernetesClient
    let limits: StreamLimits
    let sessions: PodSessions

    func register(on router: PlatformRouter) {
        for verb in [SessionRequest.Verb.attach, .exec] {
            let path = "/api/v1/jobs/{job}/\(verb.rawValue.lowercased())"
            router.get(path, access: .principal, timeout: .seconds(60)) { try await open(verb, $0, $1) }
            // A handshake with POST is answered too.
            router.post(path, access: .principal, timeout: .seconds(60)) { try await open(verb, $0, $1) }
        }
    }

    /// The container's session is open before the client's handshake is answered: a container that has ended is refused with 404, which
    /// clients rely on to learn that a job is over.
    private func open(_ verb: SessionRequest.Verb, _ request: Request, _ context: PlatformContext) async throws -> Response {
        let wanted = try SessionRequest(verb, context.query)
        let caller = try context.requireCaller()
        let job = try await access.job(try context.parameter("job"), .write, as: caller)
        guard let upgrade = WebSocketUpgrade(request: request) else {
            throw PlatformError.badRequest("No WebSocket UPGRADE hdr: None Can \"Upgrade\" only to \"WebSocket\".")
        }
        let pods = JobPods(kubernetes, job)
        guard let pod = try await answered({ try await pods.running() }), let container = pod.spec?.containers.first else {
            throw Self.notRunning(job)
        }
        let streams = try wanted.streams(for: container, job: job.id.text)
        let command = verb == .exec ? try wanted.words(job: job.id.text) : []
        let place = try limits.begin(caller.name)
        let open = try await connect(verb, pods.place(of: pod), command, streams, job, pods, logger: context.logger)
        let bridge = SessionBridge(
            container: open, streams: streams, end: verb == .attach ? ContainerEnd(pods: pods, pod: pod) : nil, logger: context.logger)
        return upgrade.accept(subprotocol: upgrade.choose(verb.subprotocols), logger: context.logger) { session in
            defer { withExtendedLifetime(place) {} }
            try await bridge.run(session)
        }
    }

    private func connect(
        _ verb: SessionRequest.Verb, _ place: PodPlace, _ command: [String], _ streams: PodStreams, _ job: JobResponse, _ pods: JobPods,
        logger: Logger
    ) async throws -> OpenPodSession {
        let kubernetes = kubernetes
        do {
            return try await sessions.open { body in
                switch verb {
                case .exec:
                    try await kubernetes.exec(pod: place.name, in: place.namespace, command: command, streams: streams, body)
                case .attach:
                    try await kubernetes.attach(pod: place.name, in: place.namespace, streams: streams, body)
                }
            }
        } catch let error as KubernetesError {
            logger.info("a session was refused", metadata: ["error": "\(error)"])
            guard case .api(let status) = error else { throw Self.away }
            // The kubelet answers 500 for a container that ended a moment ago.
            let text = (status.message ?? "").lowercased()
            let ended = ["exited", "not running", "not found", "stopped"].contains { text.contains($0) }
            if status.code == 404 || ended { throw Self.notRunning(job) }
            guard try await answered({ try await pods.running() }) != nil else { throw Self.notRunning(job) }
            if (400..<500).contains(status.code), status.code != 401, status.code != 403, status.code != 429 {
                throw PlatformError.notFound("\(verb.rawValue) container '\(job.id.text)' client error: the request was refused")
            }
            throw Self.away
        }
    }

    private func answered<T: Sendable>(_ question: @Sendable () async throws -> T) async throws -> T {
        do { return try await question() } catch let error as KubernetesError where error.isTransient { throw Self.away }
    }

    private static let away = PlatformError.unavailable("The cluster does not answer; try again.")

    private static func notRunning(_ job: JobResponse) -> PlatformError { .notFound("Job '\(job.id.text)' is not running.") }
}
