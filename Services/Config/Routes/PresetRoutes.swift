import Hummingbird
import PlatformModel
import ServiceKit

/// `…/clusters/{c}/orchestrator/resource_presets`: every change answers the whole cluster.
struct PresetRoutes: Sendable {
    let clusters: Clusters
    let viewers: ClusterViewers

    func register(on router: PlatformRouter) {
        let path = "/api/v1/clusters/{cluster}/orchestrator/resource_presets"
        // Reading: for whoever sees the cluster.
        router.get(path, access: .principal) { _, context in
            JSONResponse(try await visible(context).orchestrator.resourcePresets)
        }
        router.get(path + "/{preset}", access: .principal) { _, context in
            let name = try context.parameter("preset")
            guard let preset = try await visible(context).orchestrator.preset(name) else {
                throw PlatformError.notFound("Preset '\(name)' does not exist")
            }
            return JSONResponse(preset)
        }
        // Changing: for the cluster's managers.
        router.post(path, access: .principal) { request, context in
            let preset = try await request.decode(as: ResourcePreset.self, context: context)
            return try await change(context, status: .created) { try $0.add(preset) }
        }
        router.put(path + "/{preset}", access: .principal) { request, context in
            let name = try context.parameter("preset")
            let preset = try await request.decode(as: ResourcePreset.self, context: context)
            return try await change(context) { try $0.replace(name, with: preset) }
        }
        router.delete(path + "/{preset}", access: .principal) { _, context in
            let name = try context.parameter("preset")
            return try await change(context) { try $0.removePreset(name) }
        }
    }

    private func visible(_ context: PlatformContext) async throws -> ClusterDocument {
        let viewer = try await viewers.viewer(context.requireCaller())
        let name = try ClusterName(context.parameter("cluster"))
        guard viewer.sees(name), let stored = try await clusters.store.cluster(name) else { throw Clusters.unknown(name) }
        return stored.document
    }

    private func change(
        _ context: PlatformContext, status: HTTPResponse.Status = .ok,
        _ body: @escaping @Sendable (inout OrchestratorSection) throws -> Void
    ) async throws -> JSONResponse<ClusterDocument> {
        let caller = try context.requireCaller()
        let viewer = try await viewers.viewer(caller)
        let name = try ClusterName(context.parameter("cluster"))
        try viewer.requireManage(name)
        let changed = try await clusters.change(name, by: caller) { try body(&$0.orchestrator) }
        guard let view = try viewer.view(changed) else { throw Clusters.unknown(name) }
        return JSONResponse(view, status: status)
    }
}
