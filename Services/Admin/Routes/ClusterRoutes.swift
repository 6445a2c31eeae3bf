import Hummingbird
import PlatformClients
import ServiceKit

struct ClusterRoutes: Sendable {
    let directory: Directory

    func register(on router: PlatformRouter) {
        let clusters = "\(apiPrefix)/clusters"
        router.get(clusters, access: .principal) { _, context in
            JSONResponse(try await directory.clusters(as: context.requireCaller()))
        }
        router.post(clusters, access: .principal) { request, context in
            let body = try await request.decode(as: AdminCluster.self, context: context)
            return JSONResponse(try await directory.createCluster(body, as: context.requireCaller()))
        }
        router.get("\(clusters)/{cluster}", access: .principal) { _, context in
            JSONResponse(try await directory.cluster(context.cluster(), as: context.requireCaller()))
        }
        router.put("\(clusters)/{cluster}", access: .principal) { request, context in
            let body = try await request.decode(as: AdminCluster.self, context: context)
            return JSONResponse(try await directory.updateCluster(context.cluster(), body, as: context.requireCaller()))
        }
        router.delete("\(clusters)/{cluster}", access: .principal) { _, context in
            JSONResponse(try await directory.deleteCluster(context.cluster(), as: context.requireCaller()))
        }
    }
}
