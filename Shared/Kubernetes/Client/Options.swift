import Foundation

/// A label or field selector in its text form, `a=b,c!=d`. A dictionary literal joins equalities in key order.
public struct Selector: Sendable, Hashable, ExpressibleByStringLiteral, ExpressibleByDictionaryLiteral, CustomStringConvertible {
    public let text: String
    public init(_ text: String) { self.text = text }
    public init(_ equals: [String: String]) {
        text = equals.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    }
    public init(stringLiteral value: String) { text = value }
    public init(dictionaryLiteral elements: (String, String)...) {
        self.init(Dictionary(elements, uniquingKeysWith: { $1 }))
    }
    public var description: String { text }
}

/// A whole list with the resource version it was read at.
public struct KubernetesList<Object: KubernetesResource>: Sendable {
    public var items: [Object]
    public var resourceVersion: String
}

/// What to send as a patch.
public enum Patch: Sendable {
    /// RFC 7386.
    case merge(JSONValue)
    /// Kubernetes' own, merges lists by key; built-in kinds only.
    case strategic(JSONValue)
    /// RFC 6902: an array of operations.
    case json(JSONValue)

    var contentType: String {
        switch self {
        case .merge: "application/merge-patch+json"
        case .strategic: "application/strategic-merge-patch+json"
        case .json: "application/json-patch+json"
        }
    }
    var value: JSONValue {
        switch self {
        case .merge(let value), .strategic(let value), .json(let value): value
        }
    }
}

/// How to delete.
public struct DeleteOptions: Sendable {
    public enum Propagation: String, Sendable { case orphan = "Orphan", background = "Background", foreground = "Foreground" }
    /// Seconds; 0 deletes at once, nil is the object's own period.
    public var gracePeriodSeconds: Int?
    public var propagation: Propagation?
    /// The deletion conflicts (409) unless the object has this uid.
    public var uid: String?
    public var resourceVersion: String?

    public init(gracePeriodSeconds: Int? = nil, propagation: Propagation? = nil, uid: String? = nil, resourceVersion: String? = nil) {
        self.gracePeriodSeconds = gracePeriodSeconds
        self.propagation = propagation
        self.uid = uid
        self.resourceVersion = resourceVersion
    }

    var body: JSONValue {
        var body: [String: JSONValue] = ["apiVersion": "v1", "kind": "DeleteOptions"]
        if let gracePeriodSeconds { body["gracePeriodSeconds"] = .integer(Int64(gracePeriodSeconds)) }
        if let propagation { body["propagationPolicy"] = .string(propagation.rawValue) }
        var preconditions: [String: JSONValue] = [:]
        if let uid { preconditions["uid"] = .string(uid) }
        if let resourceVersion { preconditions["resourceVersion"] = .string(resourceVersion) }
        if !preconditions.isEmpty { body["preconditions"] = .object(preconditions) }
        return .object(body)
    }
}
