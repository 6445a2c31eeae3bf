import Foundation

/// core/v1 Event. Newer reporters leave `firstTimestamp`, `lastTimestamp` and `count` empty and set `eventTime` and `series`.
public struct KubernetesEvent: KubernetesResource {
    public var metadata: ObjectMeta
    public var involvedObject: ObjectReference
    public var reason: String?
    public var message: String?
    /// `Normal` or `Warning`.
    public var type: String?
    public var count: Int?
    public var firstTimestamp: Date?
    public var lastTimestamp: Date?
    public var eventTime: Date?
    public var series: EventSeries?
    public var action: String?
    public var reportingComponent: String?
    public var source: EventSource?

    public init(metadata: ObjectMeta, involvedObject: ObjectReference, reason: String? = nil, message: String? = nil) {
        self.metadata = metadata
        self.involvedObject = involvedObject
        self.reason = reason
        self.message = message
    }
}

public struct ObjectReference: Codable, Sendable, Hashable {
    public var apiVersion: String?
    public var kind: String?
    public var name: String?
    public var namespace: String?
    public var uid: String?
    public var fieldPath: String?
    public init(kind: String? = nil, name: String? = nil, namespace: String? = nil, uid: String? = nil) {
        self.kind = kind
        self.name = name
        self.namespace = namespace
        self.uid = uid
    }
}

public struct EventSeries: Codable, Sendable, Hashable {
    public var count: Int?
    public var lastObservedTime: Date?
}

public struct EventSource: Codable, Sendable, Hashable {
    public var component: String?
    public var host: String?
}
