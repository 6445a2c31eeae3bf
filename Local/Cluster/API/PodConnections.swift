import Hummingbird
import Kubernetes
import ServiceKit

/// The parts of a pod that are streams rather than objects. The API has found the pod and the caller may use it.
enum PodStreamKind: String, Sendable, CaseIterable {
    case log
    case exec
    case attach
    case portforward
}

/// Answers for the streams of pods.
protocol PodConnections: Sendable {
    /// - Throws: ``StatusError``.
    func respond(to stream: PodStreamKind, of pod: Object, request: Request, context: PlatformContext) async throws -> Response
}

/// How a test loses a pod.
enum PodLoss: String, Sendable {
    /// Its containers vanish behind the cluster's back.
    case containers
    /// Its object vanishes, as when an administrator removes it from the store.
    case object
}

/// What the API wants of the kubelet beside what that reads from the store.
protocol NodeAgent: Sendable {
    /// Loses a pod for a test.
    /// - Throws: ``StatusError``.
    func lose(_ pod: Object, how: PodLoss) async throws
}
