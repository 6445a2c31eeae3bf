import Foundation
import Kubernetes
import ServiceKit

/// What an API server asks about an object that somebody is about to make or change (admission.k8s.io/v1).
public struct AdmissionRequest: Sendable {
    public let uid: String
    /// The object as it is to be.
    public let object: JSONValue
    /// The object as it is; null for one that is made.
    public let old: JSONValue
    public let namespace: String?
    /// `CREATE`, `UPDATE` …
    public let operation: String?
    /// Who makes or changes it, as Kubernetes knows him.
    public let username: String?
    /// Nothing may come of it but the answer.
    public let isDryRun: Bool

    public init(
        uid: String, object: JSONValue, old: JSONValue = .null, namespace: String? = nil, operation: String? = nil,
        username: String? = nil, isDryRun: Bool = false
    ) {
        self.uid = uid
        self.object = object
        self.old = old
        self.namespace = namespace
        self.operation = operation
        self.username = username
        self.isDryRun = isDryRun
    }

    /// Reads a review; absent and null are the same everywhere.
    /// - Throws: 400 for what cannot even be answered, having no `uid`.
    init(review: JSONValue) throws {
        let request = review["request"]
        guard let uid = request?["uid"]?.string, !uid.isEmpty else {
            throw PlatformError.badRequest("request.uid: is required; expected an AdmissionReview of admission.k8s.io/v1.")
        }
        self.init(
            uid: uid, object: request?["object"] ?? .null, old: request?["oldObject"] ?? .null,
            namespace: request?["namespace"]?.string, operation: request?["operation"]?.string,
            username: request?["userInfo"]?["username"]?.string, isDryRun: request?["dryRun"]?.bool ?? false)
    }

    public var kind: String? { object["kind"]?.string }

    public func label(_ name: String) -> String? { object["metadata"]?["labels"]?[name]?.string }

    public func annotation(_ name: String) -> String? { object["metadata"]?["annotations"]?[name]?.string }

    /// Of the object as it is.
    public func oldAnnotation(_ name: String) -> String? { old["metadata"]?["annotations"]?[name]?.string }
}

/// What is answered.
public enum AdmissionDecision: Sendable, Hashable {
    case unchanged
    /// Operations of a JSON Patch (RFC 6902).
    case patched([JSONValue])
    /// `code` as an HTTP status; the sentence is shown to who makes the object.
    case denied(code: Int, String)

    func review(_ uid: String) throws -> JSONValue {
        var response: [String: JSONValue] = ["uid": .string(uid), "allowed": true]
        switch self {
        case .unchanged: break
        case .patched(let operations):
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            response["patch"] = .string(try encoder.encode(JSONValue.array(operations)).base64EncodedString())
            response["patchType"] = "JSONPatch"
        case .denied(let code, let message):
            response["allowed"] = false
            response["status"] = ["code": .integer(Int64(code)), "message": .string(message)]
        }
        return ["apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": .object(response)]
    }
}

/// Decides about objects.
public protocol AdmissionReviewer: Sendable {
    func decide(_ request: AdmissionRequest) async -> AdmissionDecision
}
