import AdminService
import AuthService
import ConfigService
import Foundation
import Identity
import PlatformClients
import PlatformModel
import ServiceKit
import TestSupport

/// auth-api, admin-api and config-api, all of them genuine.
struct ControlPlane: Sendable {
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
                    "service.token": try await service("config-api"), "config.sealing-keys": Platform.sealingKey(1),
                ]
                return try await withService(ConfigService.self, settings: settings, authenticator: Identity.authenticator) {
                    (config) async throws in
                    try await body(ControlPlane(auth: auth, admin: admin, config: config, signer: signer))
                }
            }
        }
    }
}
