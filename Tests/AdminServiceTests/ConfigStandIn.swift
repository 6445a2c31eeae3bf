import HTTPTypes
import Hummingbird
import PlatformClients
import PlatformModel
import ServiceKit
import Synchronization

/// A config-api that knows names of clusters alone, and can be out of order.
struct ConfigStandIn: PlatformService {
    static let name = "config-api"

    final class State: Sendable {
        private let inner = Mutex((clusters: Set<String>(), failure: HTTPResponse.Status?.none, calls: [String]()))

        var clusters: [String] { inner.withLock { $0.clusters.sorted() } }
        /// What it was asked, with the kinds of tokens.
        var calls: [String] { inner.withLock { $0.calls } }

        /// What an operator makes there.
        func add(_ cluster: String) { _ = inner.withLock { $0.clusters.insert(cluster) } }

        func fail(_ status: HTTPResponse.Status?) { inner.withLock { $0.failure = status } }

        fileprivate func change(_ call: String, _ body: (inout Set<String>) throws -> Void) throws {
            try inner.withLock { state in
                state.calls.append(call)
                if let failure = state.failure { throw PlatformError(failure, "Out of order") }
                try body(&state.clusters)
            }
        }
    }

    @TaskLocal static var state = State()
    private let state = Self.state

    init(_ context: ServiceContext) async throws {}

    private struct Creation: Decodable { let name: String }

    func register(on router: PlatformRouter) {
        router.post("/api/v1/clusters", access: .anyone) { request, context in
            let name = try await request.decode(as: Creation.self, context: context).name
            try state.change("POST \(name)") {
                guard $0.insert(name).inserted else { throw PlatformError.badRequest("Cluster '\(name)' already exists") }
            }
            return Response(status: .created)
        }
        router.get("/api/v1/clusters/{cluster}", access: .anyone) { _, context in
            let name = try ClusterName(context.parameter("cluster"))
            try state.change("GET \(name)") {
                guard $0.contains(name.text) else { throw PlatformError.notFound("Cluster '\(name)' not found") }
            }
            return JSONResponse(ClusterDocument(blank: name, dnsName: "\(name).localhost"))
        }
        router.delete("/api/v1/clusters/{cluster}", access: .anyone) { _, context in
            let name = try context.parameter("cluster")
            try state.change("DELETE \(name)") {
                guard $0.remove(name) != nil else { throw PlatformError.notFound("Cluster '\(name)' not found") }
            }
            return Response(status: .noContent)
        }
    }
}
