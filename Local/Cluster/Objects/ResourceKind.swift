/// Where a kind lives in the API.
struct ResourceKind: Hashable, Sendable {
    /// Empty for the core group.
    let group: String
    let version: String
    /// The path segment, `pods`.
    let plural: String
    let kind: String
    let isNamespaced: Bool
    let singular: String
    let shortNames: [String]
    let categories: [String]
    /// The parts with a path of their own: `status`, `scale`.
    let subresources: [String]

    init(
        group: String = "", version: String = "v1", plural: String, kind: String, isNamespaced: Bool = true, singular: String? = nil,
        shortNames: [String] = [], categories: [String] = [], subresources: [String] = []
    ) {
        self.group = group
        self.version = version
        self.plural = plural
        self.kind = kind
        self.isNamespaced = isNamespaced
        self.singular = singular ?? kind.lowercased()
        self.shortNames = shortNames
        self.categories = categories
        self.subresources = subresources
    }

    /// `v1`, `networking.k8s.io/v1`.
    var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }

    /// `pods`, `ingresses.networking.k8s.io`: the name in messages, and the one under which all versions of a kind are stored together.
    var qualified: String { group.isEmpty ? plural : "\(plural).\(group)" }

    /// `Pod`, `Ingress.networking.k8s.io`: the kind in messages.
    var qualifiedKind: String { group.isEmpty ? kind : "\(kind).\(group)" }

    /// The name under which the store keeps its objects. Events have two groups and are one.
    var storage: String { qualified == "events.events.k8s.io" ? "events" : qualified }

    func has(_ subresource: String) -> Bool { subresources.contains(subresource) }

    static func == (left: Self, right: Self) -> Bool {
        left.group == right.group && left.version == right.version && left.plural == right.plural
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(group)
        hasher.combine(version)
        hasher.combine(plural)
    }
}

/// The place of one object.
struct ObjectKey: Hashable, Sendable, CustomStringConvertible {
    let kind: ResourceKind
    /// Nil exactly when the kind belongs to the whole cluster.
    let namespace: String?
    let name: String

    init(_ kind: ResourceKind, namespace: String? = nil, name: String) {
        self.kind = kind
        self.namespace = kind.isNamespaced ? namespace : nil
        self.name = name
    }

    /// The key of an object.
    init(_ kind: ResourceKind, _ object: Object) {
        self.init(kind, namespace: object.namespace, name: object.name)
    }

    var description: String { "\(kind.qualified) \(namespace.map { "\($0)/" } ?? "")\(name)" }

    static func == (left: Self, right: Self) -> Bool {
        left.name == right.name && left.namespace == right.namespace && left.kind.storage == right.kind.storage
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(kind.plural)
        hasher.combine(namespace)
        hasher.combine(name)
    }
}
