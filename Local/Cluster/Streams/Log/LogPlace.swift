import Kubernetes

/// Whose log it is: one run of a container.
struct LogPlace: Sendable, Equatable {
    let container: String
    /// podman's id.
    let id: String
    /// Counted from 0; its log is `<attempt>.log`.
    let attempt: Int

    /// Reads it from the pod's status, as a kubelet does.
    /// - Throws: ``StatusError`` 400 in the kubelet's words while there is no log.
    init(_ choice: ContainerChoice, previous: Bool) throws(StatusError) {
        container = choice.name
        func refusal(_ text: String) -> StatusError {
            .badRequest("\(previous ? "previous terminated " : "")container \"\(choice.name)\" in pod \"\(choice.pod.name)\" \(text)")
        }
        guard let status = choice.status else {
            throw .badRequest("container \"\(choice.name)\" in pod \"\(choice.pod.name)\" is not available")
        }
        let count = Int(status["restartCount"]?.integer ?? 0)
        let waiting = status[path: "state", "waiting"]
        func id(_ value: JSONValue?) -> String? { value?.string.flatMap { $0.isEmpty ? nil : ContainerChoice.engineID($0) } }
        let last = id(status[path: "lastState", "terminated", "containerID"])
        // While a container waits for its next run the last run is the newest, and has the newest number.
        let lastAttempt = status[path: "state", "running"] == nil && status[path: "state", "terminated"] == nil ? count : count - 1
        if previous {
            guard let last else { throw refusal("not found") }
            self.id = last
            attempt = max(0, lastAttempt)
            return
        }
        if status[path: "state", "running"] != nil, let id = id(status["containerID"]) {
            self.id = id
            attempt = count
        } else if let terminated = status[path: "state", "terminated"] {
            if let id = id(terminated["containerID"]) {
                self.id = id
                attempt = count
            } else {
                guard let last else { throw refusal("is terminated") }
                self.id = last
                attempt = max(0, lastAttempt)
            }
        } else if let last {
            self.id = last
            attempt = max(0, lastAttempt)
        } else if let waiting {
            switch waiting["reason"]?.string ?? "" {
            case "ErrImagePull": throw refusal("is waiting to start: image can't be pulled")
            case "ImagePullBackOff": throw refusal("is waiting to start: trying and failing to pull image")
            case let reason: throw refusal("is waiting to start: \(reason)")
            }
        } else {
            throw refusal("is waiting to start - no logs yet")
        }
    }
}
