import Foundation
import ServiceKit

/// A cluster with nothing in it, for what lies behind the checks: the matrix asks who is let through, not what happens then.
struct EmptyKubernetes: PlatformService {
    static let name = "empty-kubernetes"

    init(_ context: ServiceContext) async throws {}

    func register(on router: PlatformRouter) {
        for (path, kind) in [
            ("/api/v1/nodes", "NodeList"), ("/api/v1/pods", "PodList"), ("/api/v1/namespaces/{namespace}/pods", "PodList"),
        ] {
            router.get(path, access: .anyone) { _, _ in JSONResponse(List(kind: kind)) }
        }
        registerDisks(on: router)
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
