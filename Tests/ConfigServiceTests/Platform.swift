import ConfigService
import Foundation
import Identity
import PlatformClients
import PlatformModel
import ServiceKit
import TestSupport
import Testing

/// config-api with its neighbours and a signer for tokens.
struct Platform: Sendable {
    let service: TestService
    let neighbours: Neighbours
    let signer: TokenSigner

    static func run<Value: Sendable>(_ body: (Platform) async throws -> Value) async throws -> Value {
        let signer = try await TokenSigner(pem: TokenSigner.generatePEM())
        let authenticator: AuthenticatorFactory = { _ in PlatformAuthenticator(verifier: TokenVerifier(keys: signer.publicKeys)) }
        return try await Neighbours.run { neighbours, url in
            try neighbours.grant("admin", "cluster:", .manage)
            try neighbours.grant("jobs-api", "cluster:", .read)
            let own = try await signer.sign(TokenClaims(name: try PrincipalName("config-api"), kind: .controlPlane))
            let settings = [
                "auth.url": url, "admin.url": url + "/apis/admin/v1", "public.url": "https://platform.example.com", "service.token": own,
            ]
            return try await withService(ConfigService.self, settings: settings, authenticator: authenticator) { service in
                try await body(Platform(service: service, neighbours: neighbours, signer: signer))
            }
        }
    }

    func token(_ name: String, kind: TokenKind = .user, cluster: String? = nil, expiresAt: Date? = nil) async throws -> String {
        try await signer.sign(TokenClaims(name: try PrincipalName(name), kind: kind, cluster: cluster, expiresAt: expiresAt))
    }

    func client(_ token: String) -> ConfigClient { ConfigClient(http: service.http, baseURL: service.url, token: Secret(token)) }

    /// A cluster `name` with one pool and one preset, made by the admin.
    func makeCluster(_ name: String) async throws {
        let admin = try await token("admin")
        #expect(try await service.post("/api/v1/clusters", token: admin, ["name": name]).status == 201)
        let patch = JSON.parse(
            """
            {"orchestrator": {"resource_pool_types": [{"name": "cpu", "max_size": 2, "cpu": 8, "memory": 34359738368}],
             "resource_presets": [{"name": "cpu-small", "credits_per_hour": "1", "cpu": 1, "memory": 4294967296}]}}
            """)
        #expect(try await service.patch("/api/v1/clusters/\(name)", token: admin, patch).status == 200)
    }
}

extension JSON {
    static func parse(_ text: String) -> JSON {
        do {
            return try JSONDecoder().decode(JSON.self, from: Data(text.utf8))
        } catch {
            Issue.record(error)
            return .null
        }
    }
}
