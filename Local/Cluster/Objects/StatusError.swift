import Hummingbird
import Kubernetes
import ServiceKit

/// An answer that refuses, as the API's `Status` object.
struct StatusError: PlatformErrorConvertible, Sendable {
    let code: Int
    /// The word for programs: `NotFound`, `Conflict` …
    let reason: String
    let message: String
    /// `details` of the Status.
    var details: JSONValue?
    /// Sent as `Retry-After` too.
    var retryAfter: Int?

    init(_ code: Int, _ reason: String, _ message: String, details: JSONValue? = nil, retryAfter: Int? = nil) {
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.retryAfter = retryAfter
    }

    /// The Status object.
    var object: Object {
        var status: Object = [
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure", "code": .integer(Int64(code)),
            "message": .string(message),
        ]
        if !reason.isEmpty { status["reason"] = .string(reason) }
        var details = details
        if let retryAfter {
            var more = details ?? .object([:])
            more["retryAfterSeconds"] = .integer(Int64(retryAfter))
            details = more
        }
        if let details { status["details"] = details }
        return status
    }

    var platformError: PlatformError {
        var error = PlatformError(.init(code: code), message, body: object)
        if let retryAfter { error.headers[.retryAfter] = String(retryAfter) }
        return error
    }
}

extension StatusError {
    private static func details(_ kind: ResourceKind, _ name: String, uid: String? = nil) -> JSONValue {
        var details: JSONValue = ["name": .string(name), "kind": .string(kind.plural)]
        if !kind.group.isEmpty { details["group"] = .string(kind.group) }
        if let uid { details["uid"] = .string(uid) }
        return details
    }

    static func badRequest(_ message: String) -> StatusError { StatusError(400, "BadRequest", message) }

    static func unauthorized() -> StatusError { StatusError(401, "Unauthorized", "Unauthorized") }

    static func forbidden(_ kind: ResourceKind, _ name: String, _ text: String, causes: [JSONValue] = []) -> StatusError {
        var details = details(kind, name)
        if !causes.isEmpty { details["causes"] = .array(causes) }
        return StatusError(403, "Forbidden", "\(kind.qualified) \"\(name)\" is forbidden: \(text)", details: details)
    }

    static func notFound(_ key: ObjectKey) -> StatusError { notFound(key.kind, key.name) }

    static func notFound(_ kind: ResourceKind, _ name: String) -> StatusError {
        StatusError(404, "NotFound", "\(kind.qualified) \"\(name)\" not found", details: details(kind, name))
    }

    /// No such path: a kind that nobody has defined.
    static func unknownResource() -> StatusError {
        StatusError(404, "NotFound", "the server could not find the requested resource", details: .object([:]))
    }

    static func methodNotAllowed(_ text: String = "the server does not allow this method on the requested resource") -> StatusError {
        StatusError(405, "MethodNotAllowed", text, details: .object([:]))
    }

    static func notAcceptable(_ text: String) -> StatusError { StatusError(406, "NotAcceptable", text) }

    static func alreadyExists(_ key: ObjectKey) -> StatusError {
        StatusError(
            409, "AlreadyExists", "\(key.kind.qualified) \"\(key.name)\" already exists", details: details(key.kind, key.name))
    }

    /// The object has changed since it was read.
    static func modified(_ key: ObjectKey) -> StatusError {
        conflict(key, "the object has been modified; please apply your changes to the latest version and try again")
    }

    static func conflict(_ key: ObjectKey, _ text: String, causes: [JSONValue] = []) -> StatusError {
        var details = details(key.kind, key.name)
        if !causes.isEmpty { details["causes"] = .array(causes) }
        return StatusError(
            409, "Conflict", "Operation cannot be fulfilled on \(key.kind.qualified) \"\(key.name)\": \(text)", details: details)
    }

    /// The history that was asked for is no more.
    static func gone(_ text: String) -> StatusError { StatusError(410, "Expired", text) }

    static func unsupportedMediaType(accepted: [String]) -> StatusError {
        StatusError(
            415, "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: \(accepted.joined(separator: ", "))")
    }

    static func tooLarge(limit: Int) -> StatusError {
        StatusError(413, "RequestEntityTooLarge", "Request entity too large: limit is \(limit)")
    }

    static func invalid(_ kind: ResourceKind, _ name: String, _ faults: [FieldFault]) -> StatusError {
        let texts = faults.map(\.description)
        let text = texts.count == 1 ? texts[0] : "[\(texts.joined(separator: ", "))]"
        var details: JSONValue = ["name": .string(name), "kind": .string(kind.kind), "causes": .array(faults.map(\.cause))]
        if !kind.group.isEmpty { details["group"] = .string(kind.group) }
        return StatusError(422, "Invalid", "\(kind.qualifiedKind) \"\(name)\" is invalid: \(text)", details: details)
    }

    /// A resource version that this cluster has not reached.
    static func tooLargeVersion(_ asked: UInt64, current: UInt64) -> StatusError {
        StatusError(
            504, "Timeout", "Too large resource version: \(asked), current: \(current)",
            details: ["causes": [["reason": "ResourceVersionTooLarge", "message": "Too large resource version"]]], retryAfter: 1)
    }

    static func internalError(_ text: String) -> StatusError {
        StatusError(500, "InternalError", "Internal error occurred: \(text)", details: ["causes": [["message": .string(text)]]])
    }
}

/// One reason why an object is invalid, in the words of the API.
struct FieldFault: Sendable, CustomStringConvertible {
    let field: String
    let reason: String
    let message: String

    var description: String { "\(field): \(message)" }
    var cause: JSONValue { ["reason": .string(reason), "message": .string(message), "field": .string(field)] }

    static func required(_ field: String, _ detail: String = "") -> FieldFault {
        FieldFault(field: field, reason: "FieldValueRequired", message: detail.isEmpty ? "Required value" : "Required value: \(detail)")
    }

    static func invalid(_ field: String, _ value: JSONValue?, _ detail: String) -> FieldFault {
        FieldFault(field: field, reason: "FieldValueInvalid", message: "Invalid value: \(shown(value)): \(detail)")
    }

    static func unsupported(_ field: String, _ value: String, _ supported: [String]) -> FieldFault {
        let list = supported.map { "\"\($0)\"" }.joined(separator: ", ")
        return FieldFault(
            field: field, reason: "FieldValueNotSupported", message: "Unsupported value: \"\(value)\": supported values: \(list)")
    }

    static func duplicate(_ field: String, _ value: JSONValue) -> FieldFault {
        FieldFault(field: field, reason: "FieldValueDuplicate", message: "Duplicate value: \(shown(value))")
    }

    static func notFound(_ field: String, _ value: String) -> FieldFault {
        FieldFault(field: field, reason: "FieldValueNotFound", message: "Not found: \"\(value)\"")
    }

    static func forbidden(_ field: String, _ detail: String) -> FieldFault {
        FieldFault(field: field, reason: "FieldValueForbidden", message: "Forbidden: \(detail)")
    }

    static func tooLong(_ field: String, limit: Int) -> FieldFault {
        FieldFault(field: field, reason: "FieldValueTooLong", message: "Too long: may not be more than \(limit) bytes")
    }

    private static func shown(_ value: JSONValue?) -> String { value.map { JSONWriter.text($0) } ?? "null" }
}
