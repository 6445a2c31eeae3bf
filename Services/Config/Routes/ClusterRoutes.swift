import Hummingbird
import PlatformModel
import ServiceKit

/// `…/clusters` (config.md 4).
struct ClusterRoutes: Sendable {
    let clusters: Clusters
    let viewers: ClusterViewers
    let following: Following

    func register(on router: PlatformRouter) {
        // For anyone with a token that stands: each sees what it may use (config.md 4.2).
        router.get("/api/v1/clusters", access: .principal) { request, context in
            try await following.answer(request, context, about: nil) { viewer in try await clusters.store.all().compactMap(viewer.view) }
        }
        // The same; what is invisible and what is not there look alike.
        router.get("/api/v1/clusters/{cluster}", access: .principal) { request, context in
            let name = try ClusterName(context.parameter("cluster"))
            return try await following.answer(request, context, about: name) { viewer in
                guard let view = try await clusters.store.cluster(name).flatMap(viewer.view) else { throw Clusters.unknown(name) }
                return view
            }
        }
        // For whoever manages all clusters.
        router.post("/api/v1/clusters", access: .principal) { request, context in
            let caller = try context.requireCaller()
            try await viewers.viewer(caller).requireManage(nil)
            let creation = try await request.decode(as: Clusters.Creation.self, context: context)
            return JSONResponse(try await clusters.create(creation, by: caller), status: .created)
        }
        // For the cluster's managers; with its own token the software inside it changes what it knows better.
        router.patch("/api/v1/clusters/{cluster}", access: .principal) { request, context in
            let caller = try context.requireCaller()
            let name = try ClusterName(context.parameter("cluster"))
            let patch = try ClusterPatch(await request.decode(as: JSON.self, context: context))
            let viewer = try await viewers.viewer(caller)
            let isItself = viewer.isItself(name)
            if !isItself || !patch.isForOwnToken { try viewer.requireManage(name) }
            // Anyone may come to manage a cluster, by making one. Where the control plane connects to, and with what, is for operators.
            if patch.saysWhereToConnect { try viewer.requireManage(nil) }
            let changed = try await clusters.change(name, by: caller) { try patch.apply(to: &$0, monitored: isItself) }
            guard let view = try viewer.view(changed) else { throw Clusters.unknown(name) }
            return JSONResponse(view)
        }
        // For the cluster's managers.
        router.delete("/api/v1/clusters/{cluster}", access: .principal) { _, context in
            let caller = try context.requireCaller()
            let name = try ClusterName(context.parameter("cluster"))
            try await viewers.viewer(caller).requireManage(name)
            try await clusters.delete(name, by: caller)
            return HTTPResponse.Status.noContent
        }
    }
}
