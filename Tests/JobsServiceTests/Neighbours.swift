import Foundation
import Hummingbird
import Identity
import PlatformClients
import PlatformModel
import ServiceKit
import Synchronization
import TestSupport

/// The neighbours of jobs-api as far as it asks them: auth-api, admin-api and config-api on one port, answering from a state that the test
/// holds. (That the real services answer so is asserted where they are tested together.)
final class Neighbours: Sendable {
    struct State {
        /// Grants by principal; a principal that is not here is unknown.
        var grants: [String: [Permission]] = [:]
        var users: [String: AdminUser] = [:]
        var orgClusters: [String: OrgCluster] = [:]
        var orgs: [String: Org] = [:]
        var clusters: [ClusterDocument] = []
    }

    let state: Mutex<State>
    let id = UUID().uuidString

    private static let all = Mutex<[String: Neighbours]>([:])

    init(_ state: State) {
        self.state = Mutex(state)
        Self.all.withLock { $0[id] = self }
    }

    deinit { Self.all.withLock { $0[id] = nil } }

    static func with(id: String) -> Neighbours? { all.withLock { $0[id] } }

    func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }

    func permissions(of name: String) -> [Permission]? { state.withLock { $0.grants[name] } }
}

struct NeighbourService: PlatformService {
    static let name = "neighbours"
    let neighbours: Neighbours

    init(_ context: ServiceContext) async throws {
        let id = try context.settings.string("neighbours.id")
        guard let found = Neighbours.with(id: id) else { throw SettingError("No neighbours \(id)") }
        neighbours = found
    }

    func register(on router: PlatformRouter) {
        registerAuth(on: router)
        registerAdminAndConfig(on: router)
    }

    private func name(_ context: PlatformContext) throws -> String {
        try context.parameter("name").replacingOccurrences(of: ":", with: "/")
    }

    private func grants(_ context: PlatformContext) throws -> [Permission] {
        guard let grants = try neighbours.permissions(of: name(context)) else { throw PlatformError.notFound() }
        return grants
    }

    private func registerAuth(on router: PlatformRouter) {
        router.get("/api/v1/users/{name}", access: .anyone) { _, context in
            _ = try grants(context)
            return JSONResponse(["name": try name(context)])
        }
        router.post("/api/v1/users/{name}/permissions/check", access: .anyone) { request, context in
            let asked = try await request.decode(as: [Permission].self, context: context)
            let held = try grants(context)
            return JSONResponse(MissingPermissions(missing: asked.filter { wanted in !held.contains { $0.covers(wanted) } }))
        }
        router.get("/api/v1/users/{name}/permissions/tree", access: .anyone) { _, context in
            JSONResponse(PermissionTree(of: try ResourceURI(context.query.required("uri")), grants: try grants(context)))
        }
        router.post("/api/v1/users/{name}/permissions", access: .anyone) { request, context in
            let more = try await request.decode(as: [Permission].self, context: context)
            let name = try name(context)
            neighbours.change { $0.grants[name, default: []] += more }
            return JSONResponse(more, status: .created)
        }
        router.delete("/api/v1/users/{name}/permissions", access: .anyone) { _, context in
            let uris = try context.query.all("uri").map { try ResourceURI($0) }
            let name = try name(context)
            neighbours.change { state in state.grants[name]?.removeAll { uris.contains($0.uri) } }
            return HTTPResponse.Status.noContent
        }
        router.post("/api/v1/users/{name}/token", access: .anyone) { _, _ in JSONResponse(IssueTokenResponse(accessToken: "minted")) }
    }

    private func registerAdminAndConfig(on router: PlatformRouter) {
        router.get("/apis/admin/v1/users/{name}", access: .anyone) { _, context in
            let name = try context.parameter("name")
            guard let user = neighbours.state.withLock({ $0.users[name] }) else { throw PlatformError.notFound() }
            return JSONResponse(user)
        }
        router.get("/apis/admin/v1/clusters/{cluster}/orgs/{org}", access: .anyone) { _, context in
            let key = try context.parameter("cluster") + "/" + context.parameter("org")
            guard let org = neighbours.state.withLock({ $0.orgClusters[key] }) else { throw PlatformError.notFound() }
            return JSONResponse(org)
        }
        router.get("/apis/admin/v1/orgs/{org}", access: .anyone) { _, context in
            let name = try context.parameter("org")
            guard let org = neighbours.state.withLock({ $0.orgs[name] }) else { throw PlatformError.notFound() }
            return JSONResponse(org)
        }
        router.get("/api/v1/clusters", access: .anyone) { _, _ in JSONResponse(neighbours.state.withLock { $0.clusters }) }
        router.get("/api/v1/clusters/{cluster}", access: .anyone) { _, context in
            let name = try context.parameter("cluster")
            guard let cluster = neighbours.state.withLock({ state in state.clusters.first { $0.name.text == name } }) else {
                throw PlatformError.notFound()
            }
            return JSONResponse(cluster)
        }
    }
}
