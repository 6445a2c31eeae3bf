/// An object of the Kubernetes API. Typed kinds decode the fields we use and ignore the rest, so change them with a patch;
/// a whole-object replace needs `KubernetesObject`, which carries every field.
public protocol KubernetesResource: Codable, Sendable {
    var metadata: ObjectMeta { get set }
}

/// Where a kind lives in the API: group, version, plural. `Object` is what its JSON decodes to.
public struct ResourceKind<Object: KubernetesResource>: Sendable, Hashable {
    /// Empty for the core group.
    public let group: String
    public let version: String
    public let kind: String
    /// The path segment, `pods`.
    public let plural: String
    public let isNamespaced: Bool

    public init(group: String = "", version: String, kind: String, plural: String, isNamespaced: Bool = true) {
        self.group = group
        self.version = version
        self.kind = kind
        self.plural = plural
        self.isNamespaced = isNamespaced
    }

    /// `v1`, `networking.k8s.io/v1`.
    public var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }

    /// The same place, read as a generic value.
    public var generic: ResourceKind<KubernetesObject> {
        .init(group: group, version: version, kind: kind, plural: plural, isNamespaced: isNamespaced)
    }
}

/// An object of any kind with all its fields, for kinds that we have no type for and for replacing without loss.
public struct KubernetesObject: KubernetesResource, Hashable {
    public var metadata: ObjectMeta
    /// Every member but `metadata`: `spec`, `status`, `data`, `apiVersion`, `kind` …
    public var fields: [String: JSONValue]

    public init(metadata: ObjectMeta = .init(), fields: [String: JSONValue] = [:]) {
        self.metadata = metadata
        self.fields = fields
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: AnyKey.self)
        metadata = try container.decodeIfPresent(ObjectMeta.self, forKey: AnyKey("metadata")) ?? .init()
        fields = [:]
        for key in container.allKeys where key.stringValue != "metadata" {
            fields[key.stringValue] = try container.decode(JSONValue.self, forKey: key)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: AnyKey.self)
        try container.encode(metadata, forKey: AnyKey("metadata"))
        for (key, value) in fields { try container.encode(value, forKey: AnyKey(key)) }
    }

    public subscript(_ key: String) -> JSONValue? {
        get { fields[key] }
        set { fields[key] = newValue }
    }
}

struct AnyKey: CodingKey, Hashable {
    let stringValue: String
    var intValue: Int? { nil }
    init(_ value: String) { stringValue = value }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
