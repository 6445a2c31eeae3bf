import Foundation
import Kubernetes

/// The outcome of a deletion.
enum Deletion: Sendable {
    /// Gone; as it last was.
    case done(Object)
    /// On its way: something must happen first.
    case begun(Object)

    var object: Object {
        switch self {
        case .done(let object), .begun(let object): object
        }
    }
}

extension ObjectAPI {
    /// Deletes an object, or asks for its deletion when something keeps it: finalizers, a pod's containers, a namespace's content.
    /// - Throws: ``StatusError`` 404, 409.
    func delete(_ key: ObjectKey, options: DeletionOptions = .init()) async throws -> Deletion {
        guard let present = try await store.get(key) else { throw StatusError.notFound(key) }
        if key.kind == .namespaces, ["default", "kube-system"].contains(key.name) {
            throw StatusError.forbidden(.namespaces, key.name, "this namespace may not be deleted")
        }
        try options.check(present, key)
        if options.isDryRun { return .done(present) }
        let now = clock()
        let last = try await store.update(key, uid: present.uid) { object in
            try options.check(object, key)
            let grace = ObjectAPI.grace(of: object, key: key, asked: options.gracePeriodSeconds)
            if object.deletionTimestamp != nil {
                // Asked again: the wait can only become shorter.
                if grace < object.deletionGracePeriodSeconds ?? 0 {
                    object.deletionGracePeriodSeconds = grace
                    object.deletionTimestamp = now.addingTimeInterval(Double(grace))
                }
                return
            }
            switch options.propagation {
            case .foreground: ObjectAPI.add("foregroundDeletion", to: &object)
            case .orphan: ObjectAPI.add("orphan", to: &object)
            case .background, nil: break
            }
            object.deletionTimestamp = now.addingTimeInterval(Double(grace))
            object.deletionGracePeriodSeconds = grace
            if let generation = object.generation { object.generation = generation + 1 }
            if key.kind == .namespaces { object[path: "status", "phase"] = "Terminating" }
        }
        return try await store.get(key)?.uid == last.uid ? .begun(last) : .done(last)
    }

    /// Deletes what a list finds.
    func deleteAll(
        _ kind: ResourceKind, namespace: String?, selector: Selector, options: DeletionOptions
    ) async throws -> ObjectPage {
        var page = try await store.list(kind.kept, namespace: namespace, selector: kind.stored(selector))
        var deleted: [Object] = []
        for object in page.items {
            do {
                deleted.append(try await delete(ObjectKey(kind.kept, object), options: options).object)
            } catch let error as StatusError where error.code == 404 {
                continue  // Somebody was faster.
            }
        }
        page.items = deleted
        return page
    }

    /// Seconds that an object gets to end. A pod that has no node, or has ended, has nothing to wait for.
    private static func grace(of object: Object, key: ObjectKey, asked: Int64?) -> Int64 {
        guard key.kind == .pods else { return 0 }
        let phase = object[path: "status", "phase"]?.string
        let hasNode = object[path: "spec", "nodeName"]?.string?.isEmpty == false
        guard hasNode, phase != "Succeeded", phase != "Failed" else { return 0 }
        let own = object[path: "spec", "terminationGracePeriodSeconds"]?.integer ?? 30
        return max(0, asked ?? own)
    }

    private static func add(_ finalizer: String, to object: inout Object) {
        if !object.finalizers.contains(finalizer) { object.finalizers += [finalizer] }
    }
}
