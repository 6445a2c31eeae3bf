import Foundation
import Identity
import PlatformClients
import PlatformModel
import ServiceKit
import TestSupport
import Testing

/// config-api between a genuine auth-api and a genuine admin-api, as a first start leaves them.
@Suite(.timeLimit(.minutes(5)))
struct ControlPlaneTests {
    @Test func afterTheFirstStartAndTheSecondTheAdminCanWork() async throws {
        try await ControlPlane.run { (plane) async throws in
            try await plane.start()
            try await plane.start()
            let document = try await plane.configClient("admin").bootstrap(token: plane.token("admin"))
            #expect(document.authorized)
            #expect(document.clusters?.map(\.name.text) == ["default"])
            #expect(document.clusters?.first?.orgs.map(\.text) == ["default"])
            #expect(
                document.projects?.map { "\($0.clusterName)/\($0.orgName?.text ?? "")/\($0.name) \($0.role)" } == [
                    "default/default/default admin"
                ])
            #expect(document.orgs?.map(\.role) == [.admin])
            #expect(try await plane.configClient("admin").clusters().map(\.name.text) == ["default"])
        }
    }

    @Test func credentialsReachTheServicesThatNeedThem() async throws {
        try await ControlPlane.run { (plane) async throws in
            try await plane.start()
            let name = try ClusterName("default")
            #expect(try await plane.configClient("jobs-api").cluster(name)?.kubernetes != nil)
            #expect(try await plane.configClient("monitoring-api", cluster: "default").cluster(name)?.kubernetes != nil)
            let seen = try await plane.configClient("admin").cluster(name)
            #expect(seen != nil && seen?.credentials == nil)
            #expect(try await plane.configClient("monitoring-api", cluster: "elsewhere").cluster(name)?.credentials == nil)
        }
    }

    @Test func whoIsDeletedIsNobody() async throws {
        try await ControlPlane.run { (plane) async throws in
            try await plane.start()
            let token = try await plane.token("alice")
            let client = try await plane.configClient("alice")
            #expect(try await client.bootstrap(token: token).authorized)
            let auth = AuthClient(http: plane.auth.http, baseURL: plane.auth.url, token: Secret(try await plane.token("admin")))
            #expect(try await auth.deleteUser(PrincipalName("alice")))
            #expect(try await client.bootstrap(token: token).authorized == false)
            #expect(try await plane.config.get("/api/v1/clusters", token: token).status == 401)
        }
    }
}
