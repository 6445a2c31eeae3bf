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

    private let settings: [String: String]

    static func run<Value: Sendable>(
        settings more: [String: String] = [:], _ body: (Platform) async throws -> Value
    ) async throws -> Value {
        let signer = try await TokenSigner(pem: TokenSigner.generatePEM())
        return try await Neighbours.run { neighbours, url in
            try neighbours.grant("admin", "cluster:", .manage)
            try neighbours.grant("jobs-api", "cluster:", .read)
            let own = try await signer.sign(TokenClaims(name: try PrincipalName("config-api"), kind: .controlPlane))
            let settings = [
                "auth.url": url, "admin.url": url + "/apis/admin/v1", "public.url": "https://platform.example.com", "service.token": own,
                "config.sealing-keys": sealingKey(1),
            ].merging(more) { _, given in given }
            return try await serve(settings, neighbours, signer, body)
        }
    }

    /// One more process of the service, with the same neighbours and a few settings of its own.
    func another<Value: Sendable>(_ more: [String: String], _ body: (Platform) async throws -> Value) async throws -> Value {
        try await Self.serve(settings.merging(more) { _, given in given }, neighbours, signer, body)
    }

    private static func serve<Value: Sendable>(
        _ settings: [String: String], _ neighbours: Neighbours, _ signer: TokenSigner, _ body: (Platform) async throws -> Value
    ) async throws -> Value {
        let authenticator: AuthenticatorFactory = { _ in PlatformAuthenticator(verifier: TokenVerifier(keys: signer.publicKeys)) }
        return try await withService(ConfigService.self, settings: settings, authenticator: authenticator) { service in
            try await body(Platform(service: service, neighbours: neighbours, signer: signer, settings: settings))
        }
    }

    /// One key, always the same for a number.
    static func sealingKey(_ number: UInt8) -> String { Data(repeating: number, count: 32).base64EncodedString() }

    func token(_ name: String, kind: TokenKind = .user, cluster: String? = nil, expiresAt: Date? = nil) async throws -> String {
        try await signer.sign(TokenClaims(name: try PrincipalName(name), kind: kind, cluster: cluster, expiresAt: expiresAt))
    }

    /// The token of the software inside a cluster.
    func ownToken(_ cluster: String) async throws -> String {
        try await token("cluster/\(cluster)", kind: .cluster, cluster: cluster)
    }

    @discardableResult
    func patch(_ cluster: String, _ text: String, by token: String? = nil) async throws -> TestAnswer {
        let admin = try await self.token("admin")
        return try await service.patch("/api/v1/clusters/\(cluster)", token: token ?? admin, JSON.parse(text))
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
