import Hummingbird
import Kubernetes
import PlatformClients
import PlatformModel
import ServiceKit

/// `GET /capacity` and its older name.
struct CapacityRoutes: Sendable {
    let cluster: ClusterName
    let label: String
    let auth: AuthClient
    let config: ConfigClient
    let kubernetes: KubernetesClient

    func register(on router: PlatformRouter) {
        router.get("/api/v1/jobs/capacity", access: .principal) { _, context in try await capacity(context) }
        router.post("/api/v1/jobs/available", access: .principal) { _, context in try await capacity(context) }
    }

    private func capacity(_ context: PlatformContext) async throws -> JSONResponse<[String: Int]> {
        let caller = try context.requireCaller()
        let name = caller.name.split(separator: "/").map(String.init)
        try await auth.requireAny(
            Permission(ResourceURI(.job, [cluster.text] + name), .read),
            Permission(ResourceURI(.cluster, cluster).appending("access"), .read), as: caller)
        guard let document = try await config.cluster(cluster) else { throw PlatformError.badRequest("Cluster '\(cluster)' was not found") }
        do {
            async let nodes = kubernetes.list(.nodes, labels: Selector(label))
            async let pods = kubernetes.list(.pods, fields: "status.phase!=Failed,status.phase!=Succeeded,status.phase!=Unknown")
            let found = try await ClusterCapacity(nodes: nodes.items, pods: pods.items, label: label)
            let orchestrator = document.orchestrator
            return JSONResponse(found.jobs(of: orchestrator.resourcePresets, in: orchestrator.resourcePoolTypes))
        } catch CapacityError.unknownUnit(let text) {
            throw PlatformError.badRequest("Unknown unit of quantity '\(text)'")
        } catch let error as KubernetesError where error.isTransient {
            throw PlatformError.unavailable("The cluster does not answer; try again.")
        }
    }
}
