import Kubernetes

/// Which container of a pod a request means, and how that container stands.
struct ContainerChoice: Sendable {
    let pod: Object
    let name: String

    /// - Parameter name: what the request says; absent or empty: the pod's only one.
    /// - Throws: ``StatusError`` 400 in the words of the API server.
    init(_ name: String?, in pod: Object) throws(StatusError) {
        self.pod = pod
        let names = Self.names(pod, "initContainers") + Self.names(pod, "containers") + Self.names(pod, "ephemeralContainers")
        if let name, !name.isEmpty {
            guard names.contains(name) else { throw .badRequest("container \(name) is not valid for pod \(pod.name)") }
            self.name = name
            return
        }
        let main = Self.names(pod, "containers")
        guard let first = main.first else { throw .badRequest("a container name must be specified for pod \(pod.name)") }
        guard main.count == 1 else {
            throw .badRequest(
                "a container name must be specified for pod \(pod.name), choose one of: [\(names.joined(separator: " "))]")
        }
        self.name = first
    }

    private static func names(_ pod: Object, _ list: String) -> [String] {
        (pod[path: "spec", list]?.array ?? []).compactMap { $0["name"]?.string }
    }

    /// What the pod's specification says of the container.
    var specification: JSONValue? {
        ["containers", "initContainers", "ephemeralContainers"].lazy.compactMap { list in
            (pod[path: "spec", list]?.array ?? []).first { $0["name"]?.string == name }
        }.first
    }

    /// What the pod's status says of it; nil while the kubelet has said nothing.
    var status: JSONValue? { Self.status(of: name, in: pod) }

    static func status(of name: String, in pod: Object) -> JSONValue? {
        ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"].lazy.compactMap { list in
            (pod[path: "status", list]?.array ?? []).first { $0["name"]?.string == name }
        }.first
    }

    /// podman's id of the container, while it runs.
    var runningID: String? {
        guard let status, status[path: "state", "running"] != nil else { return nil }
        return status["containerID"]?.string.map(Self.engineID)
    }

    /// `podman://abc` → `abc`.
    static func engineID(_ id: String) -> String {
        id.range(of: "://").map { String(id[$0.upperBound...]) } ?? id
    }

    /// Whether this very container runs still.
    static func isRunning(_ id: String, of name: String, in pod: Object?) -> Bool {
        guard let pod, let status = status(of: name, in: pod) else { return false }
        return status[path: "state", "running"] != nil && status["containerID"]?.string.map(engineID) == id
    }

    var hasTerminal: Bool { specification?["tty"]?.bool ?? false }
}
