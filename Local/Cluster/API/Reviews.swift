import Hummingbird
import Kubernetes
import ServiceKit

/// Questions about who one is and what one may do. The cluster has one caller, who may do everything.
enum Reviews {
    struct Kind: Sendable {
        let group: String
        let plural: String
        let kind: String
        var isNamespaced = false
    }

    static let kinds = [
        Kind(group: "authorization.k8s.io", plural: "selfsubjectaccessreviews", kind: "SelfSubjectAccessReview"),
        Kind(group: "authorization.k8s.io", plural: "selfsubjectrulesreviews", kind: "SelfSubjectRulesReview"),
        Kind(group: "authorization.k8s.io", plural: "subjectaccessreviews", kind: "SubjectAccessReview"),
        Kind(group: "authorization.k8s.io", plural: "localsubjectaccessreviews", kind: "LocalSubjectAccessReview", isNamespaced: true),
        Kind(group: "authentication.k8s.io", plural: "selfsubjectreviews", kind: "SelfSubjectReview"),
        Kind(group: "authentication.k8s.io", plural: "tokenreviews", kind: "TokenReview"),
    ]

    /// The answer, when the path is one of them.
    /// - Throws: ``StatusError``.
    static func answer(_ path: ResourcePath, request: Request, context: PlatformContext) async throws -> Response? {
        guard path.version == "v1", let kind = kinds.first(where: { $0.group == path.group && $0.plural == path.plural }) else {
            return nil
        }
        guard request.method == .post, path.name == nil else { throw StatusError.methodNotAllowed() }
        var review = try await BodyReader.read(request)?.value ?? .object([:])
        review["apiVersion"] = .string("\(kind.group)/v1")
        review["kind"] = .string(kind.kind)
        let user: JSONValue = [
            "username": .string(try context.requireCaller().name), "groups": ["system:masters", "system:authenticated"],
        ]
        switch kind.kind {
        case "SelfSubjectRulesReview":
            review["status"] = [
                "resourceRules": [["verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]]],
                "nonResourceRules": [["verbs": ["*"], "nonResourceURLs": ["*"]]], "incomplete": false,
            ]
        case "SelfSubjectReview": review["status"] = ["userInfo": user]
        case "TokenReview":
            let isCaller = review[path: "spec", "token"]?.string == (try context.requireCaller().token)
            review["status"] = isCaller ? ["authenticated": true, "user": user] : ["authenticated": false, "user": [:]]
        default: review["status"] = ["allowed": true]
        }
        return Answer.json(review, status: .created)
    }
}
