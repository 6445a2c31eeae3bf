import Hummingbird
import Kubernetes
import ServiceKit

/// The streams of pods: log, exec, attach, port-forward.
struct StreamConnections: PodConnections {
    private let log: LogRoutes
    private let commands: CommandRoutes
    private let ports: PortForwardRoutes

    /// - Parameter folder: the cluster's, where the kubelet keeps the logs.
    init(store: ObjectStore, podman: Podman, folder: String) {
        let pods = StreamedPods(store: store)
        log = LogRoutes(pods: pods, folder: folder)
        commands = CommandRoutes(pods: pods, podman: podman)
        ports = PortForwardRoutes(podman: podman)
    }

    func respond(to stream: PodStreamKind, of pod: Object, request: Request, context: PlatformContext) async throws -> Response {
        switch stream {
        case .log: try await log.log(pod, request, context)
        case .exec: try await commands.exec(pod, request, context)
        case .attach: try await commands.attach(pod, request, context)
        case .portforward: try await ports.forward(pod, request, context)
        }
    }
}
