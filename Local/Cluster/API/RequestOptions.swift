import Kubernetes
import ServiceKit

/// What a query asks of a change.
struct ChangeOptions: Sendable {
    enum FieldValidation: String, Sendable { case ignore = "Ignore", warn = "Warn", strict = "Strict" }

    var isDryRun = false
    var fieldManager: String?
    var fieldValidation = FieldValidation.warn
    /// Server-side apply takes the fields of others.
    var force = false

    init() {}

    /// - Throws: ``StatusError`` 400.
    init(_ query: QueryItems) throws {
        switch query.first("dryRun") {
        case nil, "": break
        case "All": isDryRun = true
        case let other?:
            throw StatusError.badRequest("invalid dryRun value: \"\(other)\": supported values: \"All\"")
        }
        fieldManager = query.first("fieldManager").flatMap { $0.isEmpty ? nil : $0 }
        if let text = query.first("fieldValidation"), !text.isEmpty {
            guard let validation = FieldValidation(rawValue: text) else {
                throw StatusError.badRequest(
                    "fieldValidation: Unsupported value: \"\(text)\": supported values: \"Ignore\", \"Strict\", \"Warn\"")
            }
            fieldValidation = validation
        }
        force = try query.bool("force") ?? false
    }
}

/// How to delete.
struct DeletionOptions: Sendable {
    enum Propagation: String, Sendable { case orphan = "Orphan", background = "Background", foreground = "Foreground" }

    var gracePeriodSeconds: Int64?
    var propagation: Propagation?
    var uid: String?
    var resourceVersion: String?
    var isDryRun = false

    init() {}

    /// - Parameter body: `DeleteOptions`, when the request has one; it wins over the query.
    /// - Throws: ``StatusError`` 400, 422.
    init(_ query: QueryItems, body: JSONValue?) throws {
        isDryRun = try ChangeOptions(query).isDryRun
        let inQuery = try query.int("gracePeriodSeconds").map { Int64($0) }
        gracePeriodSeconds = body?["gracePeriodSeconds"]?.integer ?? inQuery
        let orphans = try query.bool("orphanDependents")
        if let text = body?["propagationPolicy"]?.string ?? query.first("propagationPolicy"), !text.isEmpty {
            guard let policy = Propagation(rawValue: text) else {
                let fault = FieldFault.unsupported("propagationPolicy", text, ["Foreground", "Background", "Orphan", "nil"])
                throw StatusError(422, "Invalid", "DeleteOptions.meta.k8s.io \"\" is invalid: \(fault)")
            }
            propagation = policy
        } else if body?["orphanDependents"]?.bool ?? orphans ?? false {
            propagation = .orphan
        }
        uid = body?["preconditions"]?["uid"]?.string
        resourceVersion = body?["preconditions"]?["resourceVersion"]?.string
        if body?["dryRun"]?.array?.contains("All") == true { isDryRun = true }
    }

    /// - Throws: ``StatusError`` 409 when the object is another, or has changed.
    func check(_ object: Object, _ key: ObjectKey) throws {
        if let uid, uid != object.uid {
            throw StatusError.conflict(key, "Precondition failed: UID in precondition: \(uid), UID in object meta: \(object.uid)")
        }
        if let resourceVersion, resourceVersion != object.resourceVersion {
            throw StatusError.conflict(
                key,
                "Precondition failed: ResourceVersion in precondition: \(resourceVersion), ResourceVersion in object meta: "
                    + (object.resourceVersion ?? ""))
        }
    }
}

/// What a list or a watch asks for.
struct ListOptions: Sendable {
    var selector = Selector.everything
    var limit: Int?
    var token: String?
    var resourceVersion: String?
    var isWatch = false
    var bookmarks = false
    var sendsPresent = false
    var timeout: Duration?

    /// - Throws: ``StatusError`` 400.
    init(_ query: QueryItems, kind: ResourceKind) throws {
        do {
            selector = try Selector(labels: query.first("labelSelector"), fields: query.first("fieldSelector"))
        } catch {
            throw StatusError.badRequest(error.message)
        }
        for field in selector.fields where !ListOptions.fields(of: kind).contains(field.path) {
            throw StatusError.badRequest("field label not supported: \(field.path)")
        }
        limit = try query.int("limit").flatMap { $0 > 0 ? $0 : nil }
        token = query.first("continue").flatMap { $0.isEmpty ? nil : $0 }
        resourceVersion = query.first("resourceVersion").flatMap { $0.isEmpty ? nil : $0 }
        isWatch = try query.bool("watch") ?? false
        bookmarks = try query.bool("allowWatchBookmarks") ?? false
        sendsPresent = try query.bool("sendInitialEvents") ?? false
        timeout = try query.int("timeoutSeconds").flatMap { $0 > 0 ? .seconds($0) : nil }
        if sendsPresent, isWatch, query.first("resourceVersionMatch") != "NotOlderThan" {
            throw StatusError(
                422, "Invalid",
                "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting "
                    + "resourceVersionMatch to NotOlderThan")
        }
    }

    /// The fields by which a kind's objects can be selected, as on a genuine server.
    private static func fields(of kind: ResourceKind) -> Set<String> {
        let common: Set = ["metadata.name", "metadata.namespace"]
        switch kind.storage {
        case "pods":
            return common.union([
                "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork", "status.phase",
                "status.podIP", "status.nominatedNodeName",
            ])
        case "events":
            return common.union(
                ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"].flatMap {
                    ["involvedObject.\($0)", "regarding.\($0)"]
                } + ["reason", "reportingComponent", "reportingController", "source", "type"])
        case "nodes": return common.union(["spec.unschedulable"])
        case "secrets": return common.union(["type"])
        case "namespaces": return common.union(["status.phase"])
        case "services": return common.union(["spec.clusterIP", "spec.type"])
        default: return common
        }
    }
}
