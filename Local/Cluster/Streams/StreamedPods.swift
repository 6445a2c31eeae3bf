import Kubernetes

/// The pods that streams are opened to.
struct StreamedPods: Sendable {
    let store: ObjectStore

    /// Whether this very container of this very pod runs still.
    func isRunning(_ id: String, of container: String, in pod: Object) async throws -> Bool {
        let now = try await store.get(ObjectKey(.pods, pod))
        guard now?.uid == pod.uid else { return false }
        return ContainerChoice.isRunning(id, of: container, in: now)
    }

    /// The pod must stand on a node before anything can be opened to it.
    /// - Throws: ``StatusError`` 400.
    static func requirePlaced(_ pod: Object) throws(StatusError) {
        guard pod[path: "spec", "nodeName"]?.string?.isEmpty == false else {
            throw .badRequest("pod \(pod.name) does not have a host assigned")
        }
    }
}
