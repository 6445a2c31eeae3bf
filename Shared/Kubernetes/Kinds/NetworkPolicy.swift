/// networking.k8s.io/v1 NetworkPolicy.
public struct NetworkPolicy: KubernetesResource {
    public var metadata: ObjectMeta
    public var spec: NetworkPolicySpec?
    public init(metadata: ObjectMeta, spec: NetworkPolicySpec? = nil) {
        self.metadata = metadata
        self.spec = spec
    }
}

public struct NetworkPolicySpec: Codable, Sendable, Hashable {
    public var podSelector: LabelSelector
    /// `Ingress`, `Egress`.
    public var policyTypes: [String]?
    public var ingress: [NetworkPolicyRule]?
    public var egress: [NetworkPolicyRule]?
    public init(
        podSelector: LabelSelector = .init(), policyTypes: [String], ingress: [NetworkPolicyRule]? = nil, egress: [NetworkPolicyRule]? = nil
    ) {
        self.podSelector = podSelector
        self.policyTypes = policyTypes
        self.ingress = ingress
        self.egress = egress
    }
}

/// One rule: `from` in ingress, `to` in egress.
public struct NetworkPolicyRule: Codable, Sendable, Hashable {
    public var from: [NetworkPolicyPeer]?
    public var to: [NetworkPolicyPeer]?
    public var ports: [NetworkPolicyPort]?
    public init(from: [NetworkPolicyPeer]? = nil, to: [NetworkPolicyPeer]? = nil, ports: [NetworkPolicyPort]? = nil) {
        self.from = from
        self.to = to
        self.ports = ports
    }
}

public struct NetworkPolicyPeer: Codable, Sendable, Hashable {
    public var podSelector: LabelSelector?
    public var namespaceSelector: LabelSelector?
    public var ipBlock: IPBlock?
    public init(podSelector: LabelSelector? = nil, namespaceSelector: LabelSelector? = nil, ipBlock: IPBlock? = nil) {
        self.podSelector = podSelector
        self.namespaceSelector = namespaceSelector
        self.ipBlock = ipBlock
    }
}

public struct IPBlock: Codable, Sendable, Hashable {
    public var cidr: String
    public var except: [String]?
    public init(cidr: String, except: [String]? = nil) {
        self.cidr = cidr
        self.except = except
    }
}

public struct NetworkPolicyPort: Codable, Sendable, Hashable {
    public var port: IntOrString?
    public var `protocol`: String?
    public init(port: Int, protocol: String = "TCP") {
        self.port = .int(port)
        self.protocol = `protocol`
    }
}
