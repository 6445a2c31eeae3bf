import Foundation

/// What the kubelet and the scheduler say of a pod.
public struct PodStatus: Codable, Sendable, Hashable {
    /// `Pending`, `Running`, `Succeeded`, `Failed`, `Unknown`.
    public var phase: String?
    public var reason: String?
    public var message: String?
    public var conditions: [Condition]?
    public var containerStatuses: [ContainerStatus]?
    public var initContainerStatuses: [ContainerStatus]?
    public var podIP: String?
    public var hostIP: String?
    public var startTime: Date?
    public var nominatedNodeName: String?

    public init(phase: String? = nil) { self.phase = phase }
}

/// A condition of a pod, node or other object.
public struct Condition: Codable, Sendable, Hashable {
    public var type: String
    /// `True`, `False`, `Unknown`.
    public var status: String
    public var reason: String?
    public var message: String?
    public var lastTransitionTime: Date?

    public init(type: String, status: String, reason: String? = nil, message: String? = nil) {
        self.type = type
        self.status = status
        self.reason = reason
        self.message = message
    }
}

public struct ContainerStatus: Codable, Sendable, Hashable {
    public var name: String
    public var state: ContainerState?
    /// How the run before this one ended; its log is the `previous` log.
    public var lastState: ContainerState?
    public var ready: Bool?
    public var started: Bool?
    public var restartCount: Int?
    public var image: String?
    public var imageID: String?
    public var containerID: String?

    public init(name: String, state: ContainerState? = nil) {
        self.name = name
        self.state = state
    }

    public var isRunning: Bool { state?.running != nil }
    public var terminated: ContainerTerminated? { state?.terminated }
}

/// Exactly one member is set; none means waiting.
public struct ContainerState: Codable, Sendable, Hashable {
    public var waiting: ContainerWaiting?
    public var running: ContainerRunning?
    public var terminated: ContainerTerminated?

    public init(waiting: ContainerWaiting? = nil, running: ContainerRunning? = nil, terminated: ContainerTerminated? = nil) {
        self.waiting = waiting
        self.running = running
        self.terminated = terminated
    }
}

public struct ContainerWaiting: Codable, Sendable, Hashable {
    public var reason: String?
    public var message: String?
    public init(reason: String? = nil, message: String? = nil) {
        self.reason = reason
        self.message = message
    }
}

public struct ContainerRunning: Codable, Sendable, Hashable {
    public var startedAt: Date?
    public init(startedAt: Date? = nil) { self.startedAt = startedAt }
}

public struct ContainerTerminated: Codable, Sendable, Hashable {
    public var exitCode: Int
    public var signal: Int?
    public var reason: String?
    public var message: String?
    public var startedAt: Date?
    public var finishedAt: Date?
    public var containerID: String?

    public init(exitCode: Int, reason: String? = nil, message: String? = nil, startedAt: Date? = nil, finishedAt: Date? = nil) {
        self.exitCode = exitCode
        self.reason = reason
        self.message = message
        self.startedAt = startedAt
        self.finishedAt = finishedAt
    }
}
