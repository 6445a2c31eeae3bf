import Foundation

/// `metadata` of an object. Members we do not name are kept in `other`; `managedFields` is dropped (large, and the server keeps its own).
public struct ObjectMeta: Codable, Sendable, Hashable {
    public var name: String?
    public var generateName: String?
    public var namespace: String?
    public var uid: String?
    public var resourceVersion: String?
    public var generation: Int64?
    public var creationTimestamp: Date?
    /// Set once a graceful deletion began.
    public var deletionTimestamp: Date?
    public var deletionGracePeriodSeconds: Int?
    public var labels: [String: String]
    public var annotations: [String: String]
    public var ownerReferences: [OwnerReference]
    public var finalizers: [String]
    public var other: [String: JSONValue]

    public init(
        name: String? = nil, generateName: String? = nil, namespace: String? = nil, labels: [String: String] = [:],
        annotations: [String: String] = [:], ownerReferences: [OwnerReference] = [], finalizers: [String] = []
    ) {
        self.name = name
        self.generateName = generateName
        self.namespace = namespace
        self.labels = labels
        self.annotations = annotations
        self.ownerReferences = ownerReferences
        self.finalizers = finalizers
        other = [:]
    }

    private enum Key: String, CaseIterable {
        case name, generateName, namespace, uid, resourceVersion, generation, creationTimestamp, deletionTimestamp,
            deletionGracePeriodSeconds, labels, annotations, ownerReferences, finalizers, managedFields
        var coding: AnyKey { AnyKey(rawValue) }
    }
    private static let known = Set(Key.allCases.map(\.rawValue))

    public init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: AnyKey.self)
        func read<T: Decodable>(_ key: Key) throws -> T? { try box.decodeIfPresent(T.self, forKey: key.coding) }
        name = try read(.name)
        generateName = try read(.generateName)
        namespace = try read(.namespace)
        uid = try read(.uid)
        resourceVersion = try read(.resourceVersion)
        generation = try read(.generation)
        creationTimestamp = try read(.creationTimestamp)
        deletionTimestamp = try read(.deletionTimestamp)
        deletionGracePeriodSeconds = try read(.deletionGracePeriodSeconds)
        labels = try read(.labels) ?? [:]
        annotations = try read(.annotations) ?? [:]
        ownerReferences = try read(.ownerReferences) ?? []
        finalizers = try read(.finalizers) ?? []
        other = [:]
        for key in box.allKeys where !Self.known.contains(key.stringValue) {
            other[key.stringValue] = try box.decode(JSONValue.self, forKey: key)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: AnyKey.self)
        func write<T: Encodable>(_ value: T?, _ key: Key) throws { try box.encodeIfPresent(value, forKey: key.coding) }
        try write(name, .name)
        try write(generateName, .generateName)
        try write(namespace, .namespace)
        try write(uid, .uid)
        try write(resourceVersion, .resourceVersion)
        try write(generation, .generation)
        try write(creationTimestamp, .creationTimestamp)
        try write(deletionTimestamp, .deletionTimestamp)
        try write(deletionGracePeriodSeconds, .deletionGracePeriodSeconds)
        if !labels.isEmpty { try write(labels, .labels) }
        if !annotations.isEmpty { try write(annotations, .annotations) }
        if !ownerReferences.isEmpty { try write(ownerReferences, .ownerReferences) }
        if !finalizers.isEmpty { try write(finalizers, .finalizers) }
        for (key, value) in other { try box.encode(value, forKey: AnyKey(key)) }
    }
}

/// The owner whose deletion takes this object along.
public struct OwnerReference: Codable, Sendable, Hashable {
    public var apiVersion: String
    public var kind: String
    public var name: String
    public var uid: String
    public var controller: Bool?
    public var blockOwnerDeletion: Bool?

    public init(apiVersion: String, kind: String, name: String, uid: String, controller: Bool? = nil, blockOwnerDeletion: Bool? = nil) {
        self.apiVersion = apiVersion
        self.kind = kind
        self.name = name
        self.uid = uid
        self.controller = controller
        self.blockOwnerDeletion = blockOwnerDeletion
    }
}
