import Foundation

/// core/v1 Service (named apart from the lifecycle protocol that every service here conforms to).
public struct KubernetesService: KubernetesResource {
    public var metadata: ObjectMeta
    public var spec: ServiceSpec?
    public init(metadata: ObjectMeta, spec: ServiceSpec? = nil) {
        self.metadata = metadata
        self.spec = spec
    }
}

public struct ServiceSpec: Codable, Sendable, Hashable {
    public var selector: [String: String]?
    public var ports: [ServicePort]?
    /// `None` for a headless service.
    public var clusterIP: String?
    public var type: String?
    public var publishNotReadyAddresses: Bool?
    public init(selector: [String: String]? = nil, ports: [ServicePort]? = nil, clusterIP: String? = nil) {
        self.selector = selector
        self.ports = ports
        self.clusterIP = clusterIP
    }
}

public struct ServicePort: Codable, Sendable, Hashable {
    public var name: String?
    public var port: Int
    public var targetPort: IntOrString?
    public var `protocol`: String?
    public init(name: String? = nil, port: Int, targetPort: IntOrString? = nil, protocol: String? = nil) {
        self.name = name
        self.port = port
        self.targetPort = targetPort
        self.protocol = `protocol`
    }
}

/// util/intstr: a number or a name.
public enum IntOrString: Codable, Sendable, Hashable {
    case int(Int)
    case string(String)
    public init(from decoder: any Decoder) throws {
        let box = try decoder.singleValueContainer()
        if let number = try? box.decode(Int.self) { self = .int(number) } else { self = .string(try box.decode(String.self)) }
    }
    public func encode(to encoder: any Encoder) throws {
        var box = encoder.singleValueContainer()
        switch self {
        case .int(let value): try box.encode(value)
        case .string(let value): try box.encode(value)
        }
    }
}

/// networking.k8s.io/v1 Ingress.
public struct Ingress: KubernetesResource {
    public var metadata: ObjectMeta
    public var spec: IngressSpec?
    public init(metadata: ObjectMeta, spec: IngressSpec? = nil) {
        self.metadata = metadata
        self.spec = spec
    }
}

public struct IngressSpec: Codable, Sendable, Hashable {
    public var ingressClassName: String?
    public var rules: [IngressRule]?
    public var tls: [IngressTLS]?
    public init(ingressClassName: String? = nil, rules: [IngressRule]? = nil) {
        self.ingressClassName = ingressClassName
        self.rules = rules
    }
}

public struct IngressTLS: Codable, Sendable, Hashable {
    public var hosts: [String]?
    public var secretName: String?
    public init(hosts: [String], secretName: String? = nil) {
        self.hosts = hosts
        self.secretName = secretName
    }
}

public struct IngressRule: Codable, Sendable, Hashable {
    public var host: String?
    public var http: IngressPaths?
    public init(host: String? = nil, paths: [IngressPath]) {
        self.host = host
        http = IngressPaths(paths: paths)
    }
}

public struct IngressPaths: Codable, Sendable, Hashable {
    public var paths: [IngressPath]
    public init(paths: [IngressPath]) { self.paths = paths }
}

public struct IngressPath: Codable, Sendable, Hashable {
    public var path: String?
    /// `Exact`, `Prefix`, `ImplementationSpecific`.
    public var pathType: String
    public var backend: IngressBackend
    public init(path: String? = nil, pathType: String = "ImplementationSpecific", backend: IngressBackend) {
        self.path = path
        self.pathType = pathType
        self.backend = backend
    }
}

public struct IngressBackend: Codable, Sendable, Hashable {
    public var service: IngressServiceBackend?
    public init(service: String, port: Int) { self.service = .init(name: service, port: .init(number: port)) }
    public init(service: String, portName: String) { self.service = .init(name: service, port: .init(name: portName)) }
}

public struct IngressServiceBackend: Codable, Sendable, Hashable {
    public struct Port: Codable, Sendable, Hashable {
        public var number: Int?
        public var name: String?
        public init(number: Int? = nil, name: String? = nil) {
            self.number = number
            self.name = name
        }
    }
    public var name: String
    public var port: Port?
    public init(name: String, port: Port) {
        self.name = name
        self.port = port
    }
}
