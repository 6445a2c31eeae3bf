/// core/v1 Container.
public struct Container: Codable, Sendable, Hashable {
    public var name: String
    public var image: String?
    public var imagePullPolicy: String?
    public var command: [String]?
    public var args: [String]?
    public var workingDir: String?
    public var env: [EnvironmentVariable]?
    public var ports: [ContainerPort]?
    public var resources: ResourceRequirements?
    public var volumeMounts: [VolumeMount]?
    public var stdin: Bool?
    public var stdinOnce: Bool?
    public var tty: Bool?
    public var securityContext: SecurityContext?
    public var terminationMessagePath: String?
    public var terminationMessagePolicy: String?
    public var readinessProbe: JSONValue?
    public var livenessProbe: JSONValue?

    public init(name: String, image: String? = nil) {
        self.name = name
        self.image = image
    }
}

public struct EnvironmentVariable: Codable, Sendable, Hashable {
    public var name: String
    public var value: String?
    public var valueFrom: EnvironmentSource?

    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    public init(name: String, secret: String, key: String) {
        self.name = name
        valueFrom = EnvironmentSource(secretKeyRef: KeySelector(name: secret, key: key))
    }
}

public struct EnvironmentSource: Codable, Sendable, Hashable {
    public var secretKeyRef: KeySelector?
    public var configMapKeyRef: KeySelector?
    public var fieldRef: JSONValue?
    public var resourceFieldRef: JSONValue?

    public init(secretKeyRef: KeySelector? = nil, configMapKeyRef: KeySelector? = nil) {
        self.secretKeyRef = secretKeyRef
        self.configMapKeyRef = configMapKeyRef
    }
}

public struct KeySelector: Codable, Sendable, Hashable {
    public var name: String?
    public var key: String
    public var optional: Bool?

    public init(name: String, key: String, optional: Bool? = nil) {
        self.name = name
        self.key = key
        self.optional = optional
    }
}

public struct ContainerPort: Codable, Sendable, Hashable {
    public var containerPort: Int
    public var name: String?
    public var `protocol`: String?

    public init(containerPort: Int, name: String? = nil) {
        self.containerPort = containerPort
        self.name = name
    }
}

/// Quantities by resource name, as strings (`4500m`, `17179869184`). Numbers are read too.
public struct ResourceRequirements: Codable, Sendable, Hashable {
    public var requests: [String: Quantity]?
    public var limits: [String: Quantity]?

    public init(requests: [String: Quantity]? = nil, limits: [String: Quantity]? = nil) {
        self.requests = requests
        self.limits = limits
    }
}

public struct VolumeMount: Codable, Sendable, Hashable {
    public var name: String
    public var mountPath: String
    public var subPath: String?
    public var readOnly: Bool?

    public init(name: String, mountPath: String, subPath: String? = nil, readOnly: Bool? = nil) {
        self.name = name
        self.mountPath = mountPath
        self.subPath = subPath
        self.readOnly = readOnly
    }
}

public struct SecurityContext: Codable, Sendable, Hashable {
    public var privileged: Bool?
    public var runAsUser: Int64?
    public var runAsGroup: Int64?
    public var capabilities: JSONValue?

    public init(privileged: Bool? = nil) { self.privileged = privileged }
}
