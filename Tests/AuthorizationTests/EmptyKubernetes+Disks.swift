import PlatformModel
import ServiceKit

/// One disk, of zenith/vision, and whatever is made.
extension EmptyKubernetes {
    static let disk = "standing"

    func registerDisks(on router: PlatformRouter) {
        let namespace = JobPlace(org: "zenith", project: "vision").namespace
        let claims = "/api/v1/namespaces/{namespace}/persistentvolumeclaims"
        let standing: JSON = .object([
            "metadata": .object([
                "name": .string(Self.disk), "namespace": .string(namespace), "uid": .string("u"),
                "labels": .object([
                    "platform.neuromation.io/disk-api-pvc": .string("true"), "platform.neuromation.io/user": .string("alice"),
                    "platform.neuromation.io/disk-api-org-name": .string("zenith"), "platform.neuromation.io/project": .string("vision"),
                ]),
            ]),
            "spec": .object(["resources": .object(["requests": .object(["storage": .string("500")])])]),
        ])
        router.get("\(claims)/\(Self.disk)", access: .anyone) { _, _ in JSONResponse(standing) }
        router.on(.patch, "\(claims)/\(Self.disk)", access: .anyone) { _, _ in JSONResponse(standing) }
        router.delete("\(claims)/\(Self.disk)", access: .anyone) { _, _ in JSONResponse(standing) }
        for path in ["/api/v1/persistentvolumeclaims", claims] {
            router.get(path, access: .anyone) { _, _ in
                JSONResponse(JSON.object(["metadata": .object(["resourceVersion": .string("1")]), "items": .array([])]))
            }
        }
        let policies = "/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies"
        for path in [claims, "/api/v1/namespaces", policies] {
            router.post(path, access: .anyone) { request, context in
                var made = try await request.decode(as: JSON.self, context: context)
                if let space = try? context.parameter("namespace"), case .object(var object) = made,
                    case .object(var metadata)? = object["metadata"]
                {
                    metadata["namespace"] = .string(space)
                    object["metadata"] = .object(metadata)
                    made = .object(object)
                }
                return JSONResponse(made, status: .created)
            }
        }
    }
}
