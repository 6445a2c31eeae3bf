import Foundation

/// core/v1 Namespace.
public struct Namespace: KubernetesResource {
    public var metadata: ObjectMeta
    public init(metadata: ObjectMeta) { self.metadata = metadata }
}

/// core/v1 Secret (named apart from ServiceKit's). `data` is base64 on the wire.
public struct KubernetesSecret: KubernetesResource {
    public var metadata: ObjectMeta
    public var type: String?
    public var data: [String: Data]?
    public var stringData: [String: String]?
    public var immutable: Bool?
    public init(metadata: ObjectMeta, type: String? = nil, data: [String: Data]? = nil) {
        self.metadata = metadata
        self.type = type
        self.data = data
    }
}

/// core/v1 ConfigMap.
public struct ConfigMap: KubernetesResource {
    public var metadata: ObjectMeta
    public var data: [String: String]?
    public var binaryData: [String: Data]?
    public init(metadata: ObjectMeta, data: [String: String]? = nil) {
        self.metadata = metadata
        self.data = data
    }
}

/// core/v1 PersistentVolumeClaim.
public struct PersistentVolumeClaim: KubernetesResource {
    public var metadata: ObjectMeta
    public var spec: ClaimSpec?
    public var status: ClaimStatus?
    public init(metadata: ObjectMeta, spec: ClaimSpec? = nil) {
        self.metadata = metadata
        self.spec = spec
    }
}

public struct ClaimSpec: Codable, Sendable, Hashable {
    public var accessModes: [String]?
    public var storageClassName: String?
    public var volumeName: String?
    public var volumeMode: String?
    public var resources: ResourceRequirements?
    public init(accessModes: [String], storageClassName: String? = nil, storage: Quantity) {
        self.accessModes = accessModes
        self.storageClassName = storageClassName
        resources = ResourceRequirements(requests: ["storage": storage])
    }
}

public struct ClaimStatus: Codable, Sendable, Hashable {
    /// `Pending`, `Bound`, `Lost`.
    public var phase: String?
    public var capacity: [String: Quantity]?
    public var conditions: [Condition]?
}
