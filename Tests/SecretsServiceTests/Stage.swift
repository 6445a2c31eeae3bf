import AsyncHTTPClient
import AuthService
import Foundation
import Identity
import Kubernetes
import NIOCore
import NIOHTTP1
import PlatformModel
import ServiceKit
import ServiceTestSupport
import TestSupport
import Testing

@testable import SecretsService

/// secrets-api with a genuine auth-api and the API of a cluster, all in this process.
struct Stage: Sendable {
    let service: TestService
    let auth: TestService
    /// What stands between auth-api and secrets-api.
    let proxy: TestProxy
    let cluster: TestService
    /// Our own client of the cluster.
    let kubernetes: KubernetesClient
    let signer: TokenSigner

    private static let turnstile = Turnstile(slots: 3)
    static let place = "org_name=acme&project_name=vision"

    static func with(log: TestLog = TestLog(), settings more: [String: String] = [:], _ body: (Stage) async throws -> Void) async throws {
        try await turnstile.pass {
            let pem = TokenSigner.generatePEM()
            let signer = try await TokenSigner(pem: pem)
            let settings = ["auth.signing-keys": pem, "password.cost": "10"]
            try await withService(AuthService.self, settings: settings) { (auth) async throws in
                try await TestProxy.with(host: "127.0.0.1", port: auth.port) { (proxy) async throws in
                    try await ClusterInProcess.with { (cluster, folder) async throws in
                        try await run(auth, proxy, cluster, folder, signer, log, more, body)
                    }
                }
            }
        }
    }

    private static func run(
        _ auth: TestService, _ proxy: TestProxy, _ cluster: TestService, _ folder: ClusterInProcess.Folder, _ signer: TokenSigner,
        _ log: TestLog, _ more: [String: String], _ body: (Stage) async throws -> Void
    ) async throws {
        let settings = [
            "postgres.url": "none", "cluster.name": "default", "auth.url": "http://127.0.0.1:\(proxy.port)",
            "kubeconfig": try folder.write(ClusterInProcess.Folder.kubeconfig(url: cluster.url), to: "kubeconfig"),
            "service.token": try await signer.sign(TokenClaims(name: PrincipalName("secrets-api"), kind: .cluster, cluster: "default")),
        ].merging(more) { $1 }
        let kubernetes = try KubernetesClient(
            KubernetesConfiguration(url: cluster.url, token: ClusterInProcess.token), logger: TestLog().logger("test"))
        let outcome: Result<Void, any Error>
        do {
            try await withService(SecretsService.self, settings: settings, authenticator: Identity.authenticator, log: log) {
                (service) async throws in
                try await body(
                    Stage(service: service, auth: auth, proxy: proxy, cluster: cluster, kubernetes: kubernetes, signer: signer))
            }
            outcome = .success(())
        } catch { outcome = .failure(error) }
        try await kubernetes.shutdown()
        try outcome.get()
    }

    // MARK: People

    func token(_ name: String) async throws -> String {
        try await signer.sign(TokenClaims(name: PrincipalName(name), issuedAt: Date() + 2))
    }

    /// Makes a user with these grants (`write secret://…`); its token.
    func user(_ name: String, _ grants: String...) async throws -> String {
        let admin = try await token("admin")
        let path = "/api/v1/users/" + name.replacingOccurrences(of: "/", with: ":")
        let made = try await auth.post("/api/v1/users", token: admin, ["name": name])
        try #require(made.status == 201, "\(made.body)")
        for grant in grants {
            let parts = grant.split(separator: " ").map(String.init)
            let answer = try await auth.post(path + "/permissions", token: admin, [["uri": parts[1], "action": parts[0]]])
            try #require(answer.status == 201, "\(answer.body)")
        }
        return try await token(name)
    }

    /// Someone who may write in the project of most tests.
    func writer(_ name: String = "alice") async throws -> String { try await user(name, "write secret://default/acme/vision") }

    // MARK: Calls

    func add(
        _ key: String, _ value: String, org: String = "acme", project: String = "vision", token: String?
    ) async throws -> TestAnswer {
        let body = ["key": key, "value": Data(value.utf8).base64EncodedString(), "org_name": org, "project_name": project]
        return try await service.post("/api/v1/secrets", token: token, body)
    }

    func post(_ body: String, token: String?) async throws -> TestAnswer {
        var request = HTTPClientRequest(url: service.url + "/api/v1/secrets")
        request.method = .POST
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        request.body = .bytes(ByteBuffer(string: body))
        return try await service.call(request)
    }

    func list(_ query: String = Stage.place, token: String?) async throws -> TestAnswer {
        try await service.get("/api/v1/secrets" + (query.isEmpty ? "" : "?" + query), token: token)
    }

    func get(_ key: String, _ query: String = Stage.place, token: String?) async throws -> TestAnswer {
        try await service.get("/api/v1/secrets/\(key)" + (query.isEmpty ? "" : "?" + query), token: token)
    }

    func remove(_ key: String, _ query: String = Stage.place, token: String?) async throws -> TestAnswer {
        try await service.delete("/api/v1/secrets/\(key)" + (query.isEmpty ? "" : "?" + query), token: token)
    }

    func keys(_ query: String = Stage.place, token: String?) async throws -> [String] {
        try await list(query, token: token).json([SecretEntry].self).map(\.key)
    }

    // MARK: What lies in the cluster

    static let namespace = JobPlace(org: "acme", project: "vision").namespace
    static let object = "project--acme--vision--secrets"

    func stored(_ object: String = Stage.object, in namespace: String = Stage.namespace) async throws -> [String: Data]? {
        try await kubernetes.find(.secrets, object, in: namespace).map { $0.data ?? [:] }
    }

    func namespaces() async throws -> [String] { try await kubernetes.list(.namespaces).items.compactMap(\.metadata.name) }
}
