import Foundation
import Kubernetes
import Logging

/// The verbs of the API on objects of any kind, without HTTP: what the kinds' rules say is applied here, in the order of a genuine server.
struct ObjectAPI: Sendable {
    let store: ObjectStore
    let kinds: KindRegistry
    let addresses: ServiceAddresses
    let logger: Logger
    var clock: @Sendable () -> Date = { Date() }

    /// - Throws: ``StatusError`` 404.
    func get(_ key: ObjectKey) async throws -> Object {
        guard let object = try await store.get(key) else { throw StatusError.notFound(key) }
        return object
    }

    /// Creates an object; its name is in it, or made from its `generateName`.
    /// - Throws: ``StatusError`` 400, 403, 404, 409, 422.
    func create(_ given: Object, kind: ResourceKind, namespace: String?, options: ChangeOptions = .init()) async throws -> Object {
        var object = given
        try ObjectForm.check(object, kind: kind, namespace: namespace, name: nil)
        try Quantities.check(object, kind: kind)
        if object.resourceVersion != nil { throw StatusError.badRequest("resourceVersion should not be set on objects to be created") }
        object.namespace = kind.isNamespaced ? namespace : nil
        for field in ["uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"] {
            object[path: "metadata", field] = nil
        }
        let generated = object.name.isEmpty ? object.metadata["generateName"]?.string.flatMap { $0.isEmpty ? nil : $0 } : nil
        if let generated { object.name = GeneratedName.make(generated) }
        KindRules.prepare(&object, kind: kind)
        object.generation = KindRules.hasGeneration(object, kind: kind) ? 1 : nil
        let faults = KindRules.faults(of: object, kind: kind)
        guard faults.isEmpty else { throw StatusError.invalid(kind, object.name, faults) }
        let key = ObjectKey(kind.kept, namespace: namespace, name: object.name)
        try await checkNamespace(of: key)
        if kind == .services { try await addresses.assign(&object, key: key) }
        if options.isDryRun {
            guard try await store.get(key) == nil else { throw StatusError.alreadyExists(key) }
            object.uid = UUID().uuidString.lowercased()
            object[path: "metadata", "creationTimestamp"] = .string(KubernetesTime.format(clock()))
            return object
        }
        return try await store.create(object, as: key)
    }

    /// Changes an object: `change` makes the new one out of the present one, the rules of its kind say whether it may be.
    /// - Parameter part: `status`, say; what belongs to other parts stays as it is.
    /// - Throws: ``StatusError`` 400, 404, 409, 422.
    func update(
        _ key: ObjectKey, part: String? = nil, options: ChangeOptions = .init(), _ change: @escaping @Sendable (Object) throws -> Object
    ) async throws -> Object {
        let kind = key.kind
        let alter: @Sendable (inout Object) throws -> Void = { object in
            let before = object
            var after = try change(before)
            try ObjectForm.check(after, kind: kind, namespace: key.namespace, name: key.name)
            try Quantities.check(after, kind: kind)
            if options.fieldValidation == .strict {
                // What was there before is not this client's mistake.
                let present = FieldCheck.unknown(in: before, kind: kind)
                try FieldCheck.refuse([], FieldCheck.unknown(in: after, kind: kind).filter { !present.contains($0) }, kind: kind)
            }
            if let uid = after.metadata["uid"]?.string, !uid.isEmpty, uid != before.uid {
                throw StatusError.conflict(
                    key, "Precondition failed: UID in precondition: \(uid), UID in object meta: \(before.uid)")
            }
            if let version = after.resourceVersion, version != before.resourceVersion { throw StatusError.modified(key) }
            ObjectForm.keepFixedMetadata(of: before, in: &after)
            KindRules.prepare(&after, over: before, kind: kind, part: part)
            let faults = KindRules.faults(of: after, over: before, kind: kind, part: part)
            guard faults.isEmpty else { throw StatusError.invalid(kind, key.name, faults) }
            if KindRules.hasGeneration(after, kind: kind), KindRules.content(after) != KindRules.content(before) {
                after.generation = (before.generation ?? 0) + 1
            }
            object = after
        }
        guard options.isDryRun else { return try await store.update(key, alter) }
        guard var object = try await store.get(key) else { throw StatusError.notFound(key) }
        try alter(&object)
        return object
    }

    /// A namespace must be there, and must not be going, for something to be made in it.
    private func checkNamespace(of key: ObjectKey) async throws {
        guard let namespace = key.namespace else { return }
        guard let found = try await store.get(ObjectKey(.namespaces, name: namespace)) else {
            throw StatusError.notFound(.namespaces, namespace)
        }
        guard found.deletionTimestamp != nil else { return }
        let text = "unable to create new content in namespace \(namespace) because it is being terminated"
        let cause: JSONValue = [
            "reason": "NamespaceTerminating", "message": .string("namespace \(namespace) is being terminated"),
            "field": "metadata.namespace",
        ]
        throw StatusError.forbidden(key.kind, key.name, text, causes: [cause])
    }
}

/// The names of objects that have but a beginning of one.
enum GeneratedName {
    private static let letters = Array("bcdfghjklmnpqrstvwxz2456789")

    /// The beginning, at most 58 characters of it, and five random ones.
    static func make(_ base: String) -> String {
        base.prefix(58) + String((0..<5).map { _ in letters.randomElement() ?? "x" })
    }
}

/// What every object must look like, whatever its kind.
enum ObjectForm {
    /// - Throws: ``StatusError`` 400 when the object is not of the kind, or of another place than the path says.
    static func check(_ object: Object, kind: ResourceKind, namespace: String?, name: String?) throws {
        guard object.object != nil, object["metadata"] == nil || object["metadata"]?.object != nil || object["metadata"] == .null else {
            throw StatusError.badRequest("the object provided is unrecognized (must be of type \(kind.kind)): it is no object")
        }
        guard let apiVersion = object.apiVersion, !apiVersion.isEmpty else {
            throw StatusError.badRequest("Object 'apiVersion' is missing in the body of the request")
        }
        guard let given = object.kind, !given.isEmpty else {
            throw StatusError.badRequest("Object 'Kind' is missing in the body of the request")
        }
        guard given == kind.kind, apiVersion == kind.apiVersion || apiVersion == kind.kept.apiVersion else {
            throw StatusError.badRequest(
                "\(given) in version \"\(apiVersion)\" cannot be handled as a \(kind.kind): converting (\(apiVersion).\(given)) to "
                    + "(\(kind.apiVersion).\(kind.kind)): unknown conversion")
        }
        if let name, !object.name.isEmpty || object.metadata["name"] != nil, object.name != name {
            throw StatusError.badRequest("the name of the object (\(object.name)) does not match the name on the URL (\(name))")
        }
        if let own = object.namespace, !own.isEmpty, kind.isNamespaced, own != namespace {
            throw StatusError.badRequest("the namespace of the provided object does not match the namespace sent on the request")
        }
    }

    /// What no update changes.
    static func keepFixedMetadata(of before: Object, in after: inout Object) {
        for field in [
            "name", "namespace", "generateName", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
            "generation", "resourceVersion",
        ] {
            after[path: "metadata", field] = before.metadata[field]
        }
        after[path: "metadata", "selfLink"] = nil
        if after.metadata["managedFields"] == nil { after[path: "metadata", "managedFields"] = before.metadata["managedFields"] }
    }
}
