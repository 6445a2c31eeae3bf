import Foundation
import Kubernetes

/// An object of the API with all its fields.
typealias Object = JSONValue

extension Object {
    /// The value at a path of member names.
    subscript(path names: String...) -> JSONValue? {
        get { self[path: names] }
        set { self[path: names] = newValue }
    }

    /// The value at a path of member names. Setting makes the objects on the way; nil removes the member.
    subscript(path names: [String]) -> JSONValue? {
        get {
            var value: JSONValue? = self
            for name in names { value = value?[name] }
            return value
        }
        set {
            guard let first = names.first else {
                if let newValue { self = newValue }
                return
            }
            guard names.count > 1 else {
                self[first] = newValue
                return
            }
            if newValue == nil, self[first]?.object == nil { return }
            var child = self[first]?.object == nil ? JSONValue.object([:]) : self[first] ?? .object([:])
            child[path: Array(names.dropFirst())] = newValue
            self[first] = child
        }
    }

    var apiVersion: String? { self["apiVersion"]?.string }
    var kind: String? { self["kind"]?.string }

    /// `metadata`; an empty object when there is none.
    var metadata: JSONValue {
        get { self["metadata"] ?? .object([:]) }
        set { self["metadata"] = newValue }
    }

    var name: String {
        get { self["metadata"]?["name"]?.string ?? "" }
        set { self[path: "metadata", "name"] = .string(newValue) }
    }

    /// Nil for objects of the whole cluster.
    var namespace: String? {
        get { self["metadata"]?["namespace"]?.string }
        set { self[path: "metadata", "namespace"] = newValue.map { .string($0) } }
    }

    var uid: String {
        get { self["metadata"]?["uid"]?.string ?? "" }
        set { self[path: "metadata", "uid"] = .string(newValue) }
    }

    /// Nil when it is absent or empty, which both mean "any".
    var resourceVersion: String? {
        get { self["metadata"]?["resourceVersion"]?.string.flatMap { $0.isEmpty ? nil : $0 } }
        set { self[path: "metadata", "resourceVersion"] = newValue.map { .string($0) } }
    }

    var labels: [String: String] {
        get { Object.strings(self["metadata"]?["labels"]) }
        set { self[path: "metadata", "labels"] = newValue.isEmpty ? nil : .object(newValue.mapValues { .string($0) }) }
    }

    var annotations: [String: String] {
        get { Object.strings(self["metadata"]?["annotations"]) }
        set { self[path: "metadata", "annotations"] = newValue.isEmpty ? nil : .object(newValue.mapValues { .string($0) }) }
    }

    var generation: Int64? {
        get { self["metadata"]?["generation"]?.integer }
        set { self[path: "metadata", "generation"] = newValue.map { .integer($0) } }
    }

    var creationTimestamp: Date? { self["metadata"]?["creationTimestamp"]?.string.flatMap { KubernetesTime.parse($0) } }

    /// Set once the deletion was asked for.
    var deletionTimestamp: Date? {
        get { self["metadata"]?["deletionTimestamp"]?.string.flatMap { KubernetesTime.parse($0) } }
        set { self[path: "metadata", "deletionTimestamp"] = newValue.map { .string(KubernetesTime.format($0)) } }
    }

    var deletionGracePeriodSeconds: Int64? {
        get { self["metadata"]?["deletionGracePeriodSeconds"]?.integer }
        set { self[path: "metadata", "deletionGracePeriodSeconds"] = newValue.map { .integer($0) } }
    }

    var finalizers: [String] {
        get { (self["metadata"]?["finalizers"]?.array ?? []).compactMap(\.string) }
        set { self[path: "metadata", "finalizers"] = newValue.isEmpty ? nil : .array(newValue.map { .string($0) }) }
    }

    /// Whether something must happen before it can go: its finalizers, or those of a namespace.
    var isHeld: Bool {
        !finalizers.isEmpty || (kind == "Namespace" && apiVersion == "v1" && self["spec"]?["finalizers"]?.array?.isEmpty == false)
    }

    var ownerReferences: [Owner] {
        get { (self["metadata"]?["ownerReferences"]?.array ?? []).compactMap(Owner.init) }
        set { self[path: "metadata", "ownerReferences"] = newValue.isEmpty ? nil : .array(newValue.map(\.value)) }
    }

    private static func strings(_ value: JSONValue?) -> [String: String] { (value?.object ?? [:]).compactMapValues(\.string) }
}

/// One of `metadata.ownerReferences`.
struct Owner: Sendable, Hashable {
    var apiVersion: String
    var kind: String
    var name: String
    var uid: String
    var blockOwnerDeletion: Bool
    /// As it was written.
    var value: JSONValue

    init?(_ value: JSONValue) {
        guard let uid = value["uid"]?.string else { return nil }
        self.uid = uid
        apiVersion = value["apiVersion"]?.string ?? ""
        kind = value["kind"]?.string ?? ""
        name = value["name"]?.string ?? ""
        blockOwnerDeletion = value["blockOwnerDeletion"]?.bool ?? false
        self.value = value
    }
}
