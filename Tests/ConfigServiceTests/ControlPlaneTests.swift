import AdminService
import AuthService
import ConfigService
import Foundation
import Identity
import PlatformClients
import PlatformModel
import ServiceKit
import TestSupport
import Testing

/// config-api between a genuine auth-api and a genuine admin-api, as a first start leaves them.
@Suite(.timeLimit(.minutes(2)))
struct ControlPlaneTests {
    private struct ControlPlane: Sendable {
        let auth: TestService
        let admin: TestService
        let config: TestService
        let signer: TokenSigner

        func token(_ name: String, cluster: String? = nil) async throws -> String {
            let kind: TokenKind = cluster != nil ? .cluster : name.hasSuffix("-api") ? .controlPlane : .user
            return try await signer.sign(TokenClaims(name: PrincipalName(name), kind: kind, cluster: cluster))
        }

        func configClient(_ name: String, cluster: String? = nil) async throws -> ConfigClient {
            ConfigClient(http: config.http, baseURL: config.url, token: Secret(try await token(name, cluster: cluster)))
        }

        /// What a start makes; harmless when repeated.
        func start() async throws {
            let name = "default"
            let config = try await configClient("admin")
            try await config.createCluster(ClusterName(name))
            let patch = #"{"credentials": {"kubernetes": {"kubeconfig": "apiVersion: v1"}}, "disks": {"url": "http://127.0.0.1/disk"}}"#
            try await config.patchCluster(ClusterName(name), JSON.parse(patch))
            let admin = AdminClient(
                http: admin.http, baseURL: self.admin.url + "/apis/admin/v1", token: Secret(try await token("admin")))
            try await admin.createUser(AdminUser(name: "admin", email: "admin@example.org"))
            try await admin.createCluster(AdminCluster(name: ClusterName(name)))
            try await admin.createOrg(Org(name: OrgName(name)), joiningDefaultClusters: true)
            try await admin.createProject(.init(name: ProjectName(name)), ClusterName(name), OrgName(name))
            try await admin.createUser(AdminUser(name: "alice", email: "alice@example.org"))
        }

        static func run<T>(_ body: (ControlPlane) async throws -> T) async throws -> T {
            let pem = TokenSigner.generatePEM()
            let signer = try await TokenSigner(pem: pem)
            func service(_ name: String) async throws -> String {
                try await signer.sign(TokenClaims(name: PrincipalName(name), kind: .controlPlane))
            }
            return try await withService(AuthService.self, settings: ["auth.signing-keys": pem]) { (auth) async throws in
                let settings = ["auth.url": auth.url, "service.token": try await service("admin-api")]
                return try await withService(AdminService.self, settings: settings, authenticator: Identity.authenticator) {
                    (admin) async throws in
                    let settings = [
                        "auth.url": auth.url, "admin.url": admin.url + "/apis/admin/v1", "public.url": "http://127.0.0.1:8080",
                        "service.token": try await service("config-api"),
                    ]
                    return try await withService(ConfigService.self, settings: settings, authenticator: Identity.authenticator) {
                        (config) async throws in
                        try await body(ControlPlane(auth: auth, admin: admin, config: config, signer: signer))
                    }
                }
            }
        }
    }

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
