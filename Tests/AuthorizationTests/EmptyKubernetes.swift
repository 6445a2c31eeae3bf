import Foundation
import Hummingbird
import ServiceKit

/// A cluster with nothing in it, for what lies behind the checks: the matrix asks who is let through, not what happens then.
struct EmptyKubernetes: PlatformService {
    static let name = "empty-kubernetes"

    init(_ context: ServiceContext) async throws {}

    func register(on router: PlatformRouter) {
        for (path, kind) in [
            ("/api/v1/nodes", "NodeList"), ("/api/v1/pods", "PodList"), ("/api/v1/namespaces/{namespace}/pods", "PodList"),
            ("/api/v1/namespaces", "NamespaceList"),
        ] {
            router.get(path, access: .anyone) { _, _ in JSONResponse(List(kind: kind)) }
        }
        // Every project has a secret, or nobody could be told one that is not his.
        let secret = "/api/v1/namespaces/{namespace}/secrets/{name}"
        router.get(secret, access: .anyone) { _, context in try Secrets(context) }
        router.patch(secret, access: .anyone) { _, context in try Secrets(context) }
        registerDisks(on: router)
    }

    /// The secrets of a project: one, `K`.
    private struct Secrets: Encodable, ResponseGenerator {
        let apiVersion = "v1"
        let kind = "Secret"
        let metadata: [String: String]
        let data = ["K": "dg=="]

        init(_ context: PlatformContext) throws {
            let name = try context.parameter("name")
            guard name.hasPrefix("project--") else { throw PlatformError.notFound() }
            metadata = ["name": name]
        }

        func response(from request: Request, context: some RequestContext) throws -> Response {
            try JSONResponse(self).response(from: request, context: context)
        }
    }

    private struct List: Encodable {
        struct Metadata: Encodable { let resourceVersion = "1" }
        let apiVersion = "v1"
        let kind: String
        let metadata = Metadata()
        let items: [String] = []
    }

    /// Writes a kubeconfig for it; the file's path.
    static func kubeconfig(url: String) throws -> String {
        let text = """
            apiVersion: v1
            kind: Config
            clusters: [{name: c, cluster: {server: "\(url)"}}]
            users: [{name: u, user: {token: t}}]
            contexts: [{name: x, context: {cluster: c, user: u}}]
            current-context: x
            """
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("kubeconfig-\(UUID().uuidString)").path
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }
}
