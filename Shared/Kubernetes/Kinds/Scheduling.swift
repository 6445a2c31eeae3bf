/// core/v1 Affinity: which nodes, and near which pods.
public struct Affinity: Codable, Sendable, Hashable {
    public var nodeAffinity: NodeAffinity?
    public var podAffinity: PodAffinity?
    public var podAntiAffinity: PodAffinity?

    public init(nodeAffinity: NodeAffinity? = nil, podAffinity: PodAffinity? = nil, podAntiAffinity: PodAffinity? = nil) {
        self.nodeAffinity = nodeAffinity
        self.podAffinity = podAffinity
        self.podAntiAffinity = podAntiAffinity
    }
}

public struct NodeAffinity: Codable, Sendable, Hashable {
    public var requiredDuringSchedulingIgnoredDuringExecution: NodeSelector?
    public var preferredDuringSchedulingIgnoredDuringExecution: [PreferredNodes]?

    public init(required: NodeSelector? = nil, preferred: [PreferredNodes]? = nil) {
        requiredDuringSchedulingIgnoredDuringExecution = required
        preferredDuringSchedulingIgnoredDuringExecution = preferred
    }
}

/// Terms are alternatives; the expressions of one term all hold.
public struct NodeSelector: Codable, Sendable, Hashable {
    public var nodeSelectorTerms: [NodeSelectorTerm]
    public init(terms: [NodeSelectorTerm]) { nodeSelectorTerms = terms }
}

public struct NodeSelectorTerm: Codable, Sendable, Hashable {
    public var matchExpressions: [SelectorRequirement]?
    public var matchFields: [SelectorRequirement]?
    public init(matchExpressions: [SelectorRequirement]) { self.matchExpressions = matchExpressions }
}

public struct PreferredNodes: Codable, Sendable, Hashable {
    /// 1–100.
    public var weight: Int
    public var preference: NodeSelectorTerm
    public init(weight: Int, preference: NodeSelectorTerm) {
        self.weight = weight
        self.preference = preference
    }
}

/// `operator`: `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt`, `Lt`.
public struct SelectorRequirement: Codable, Sendable, Hashable {
    public var key: String
    public var `operator`: String
    public var values: [String]?

    public init(key: String, operator: String, values: [String]? = nil) {
        self.key = key
        self.operator = `operator`
        self.values = values
    }
}

public struct PodAffinity: Codable, Sendable, Hashable {
    public var requiredDuringSchedulingIgnoredDuringExecution: [PodAffinityTerm]?
    public var preferredDuringSchedulingIgnoredDuringExecution: [PreferredPods]?

    public init(required: [PodAffinityTerm]? = nil, preferred: [PreferredPods]? = nil) {
        requiredDuringSchedulingIgnoredDuringExecution = required
        preferredDuringSchedulingIgnoredDuringExecution = preferred
    }
}

public struct PreferredPods: Codable, Sendable, Hashable {
    public var weight: Int
    public var podAffinityTerm: PodAffinityTerm
    public init(weight: Int, podAffinityTerm: PodAffinityTerm) {
        self.weight = weight
        self.podAffinityTerm = podAffinityTerm
    }
}

public struct PodAffinityTerm: Codable, Sendable, Hashable {
    public var topologyKey: String
    public var labelSelector: LabelSelector?
    public var namespaces: [String]?
    public init(topologyKey: String, labelSelector: LabelSelector? = nil) {
        self.topologyKey = topologyKey
        self.labelSelector = labelSelector
    }
}

/// meta/v1 LabelSelector, as it stands inside objects. An empty one matches everything.
public struct LabelSelector: Codable, Sendable, Hashable {
    public var matchLabels: [String: String]?
    public var matchExpressions: [SelectorRequirement]?
    public init(matchLabels: [String: String]? = nil, matchExpressions: [SelectorRequirement]? = nil) {
        self.matchLabels = matchLabels
        self.matchExpressions = matchExpressions
    }
}

public struct Toleration: Codable, Sendable, Hashable {
    public var key: String?
    /// `Exists` or `Equal`.
    public var `operator`: String?
    public var value: String?
    public var effect: String?
    public var tolerationSeconds: Int?

    public init(key: String? = nil, operator: String? = nil, value: String? = nil, effect: String? = nil) {
        self.key = key
        self.operator = `operator`
        self.value = value
        self.effect = effect
    }
}
