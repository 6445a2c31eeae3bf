import Foundation

/// core/v1 Pod.
public struct Pod: KubernetesResource {
    public var metadata: ObjectMeta
    public var spec: PodSpec?
    public var status: PodStatus?

    public init(metadata: ObjectMeta, spec: PodSpec? = nil, status: PodStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// The parts of `spec` that we write or read. Nil and empty members are not sent.
public struct PodSpec: Codable, Sendable, Hashable {
    public var containers: [Container]
    public var initContainers: [Container]?
    public var volumes: [Volume]?
    /// `Always`, `OnFailure`, `Never`.
    public var restartPolicy: String?
    public var nodeName: String?
    public var nodeSelector: [String: String]?
    public var affinity: Affinity?
    public var tolerations: [Toleration]?
    public var imagePullSecrets: [LocalObjectReference]?
    public var automountServiceAccountToken: Bool?
    public var serviceAccountName: String?
    public var priorityClassName: String?
    public var priority: Int?
    /// Seconds.
    public var terminationGracePeriodSeconds: Int?
    /// Seconds.
    public var activeDeadlineSeconds: Int?
    public var enableServiceLinks: Bool?
    public var securityContext: JSONValue?
    public var overhead: [String: Quantity]?

    public init(containers: [Container]) { self.containers = containers }
}

/// core/v1 LocalObjectReference.
public struct LocalObjectReference: Codable, Sendable, Hashable {
    public var name: String?
    public init(name: String) { self.name = name }
}
