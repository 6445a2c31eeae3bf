import Foundation
import Identity
import PlatformClients
import PlatformModel
import Postgres
import ServiceKit
import TestSupport

@testable import AuthService

/// An auth-api that runs, and tokens for whoever is needed.
struct Auth: Sendable {
    let service: TestService
    let pem: String
    let signer: TokenSigner
    let admin: String
    /// The service's own database.
    let pool: PostgresPool

    static let turnstile = Turnstile(slots: 5)

    static func with<T>(_ settings: [String: String] = [:], _ body: (Auth) async throws -> T) async throws -> T {
        let pem = settings["auth.signing-keys"] ?? TokenSigner.generatePEM()
        let signer = try await TokenSigner(pem: pem)
        let admin = try await signer.sign(TokenClaims(name: PrincipalName("admin")))
        // Cheap passwords: these tests are about what follows from them.
        let usual = ["auth.signing-keys": pem, "password.cost": "10"]
        return try await turnstile.pass {
            try await withService(AuthService.self, settings: settings.merging(usual) { given, _ in given }) {
                let pool = try await $0.assembly.context.postgres()
                return try await body(Auth(service: $0, pem: pem, signer: signer, admin: admin, pool: pool))
            }
        }
    }

    /// A token signed offline, whether or not the principal exists.
    func token(_ name: String, uri: String? = nil, issuedAt: Date? = nil) async throws -> String {
        try await signer.sign(TokenClaims(name: PrincipalName(name), tokenURI: uri.map { try ResourceURI($0) }, issuedAt: issuedAt))
    }

    /// Creates principals and answers their tokens.
    @discardableResult
    func users(_ names: String...) async throws -> [String] {
        var tokens: [String] = []
        for name in names {
            let answer = try await service.post("/api/v1/users", token: admin, ["name": name])
            guard answer.status == 201 else { throw PlatformError(.internalServerError, "\(name): \(answer.status) \(answer.body)") }
            tokens.append(try await token(name, issuedAt: Date() + 2))
        }
        return tokens
    }

    func path(_ name: String, _ rest: String = "") -> String { "/api/v1/users/" + name.replacingOccurrences(of: "/", with: ":") + rest }

    /// Grants, by the admin unless somebody else is named; the status.
    @discardableResult
    func grant(_ uri: String, _ action: String, to name: String, by token: String? = nil) async throws -> Int {
        try await service.post(path(name, "/permissions"), token: token ?? admin, [["uri": uri, "action": action]]).status
    }

    @discardableResult
    func revoke(_ uris: String..., from name: String, by token: String? = nil) async throws -> TestAnswer {
        let query = uris.map { "uri=" + ($0.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? $0) }.joined(separator: "&")
        return try await service.delete(path(name, "/permissions?" + query), token: token ?? admin)
    }

    /// Which of the permissions are missing, as `action uri`.
    func missing(_ permissions: [(String, String)], of name: String, by token: String? = nil) async throws -> [String] {
        let body = permissions.map { ["uri": $0.0, "action": $0.1] }
        let answer = try await service.post(path(name, "/permissions/check"), token: token ?? admin, body)
        guard answer.status == 200 else { throw PlatformError(.init(code: answer.status), answer.body) }
        let missing = try answer.object()["missing"] as? [[String: String]] ?? []
        return missing.map { "\($0["action"] ?? "") \($0["uri"] ?? "")" }
    }

    func holds(_ uri: String, _ action: String, _ name: String) async throws -> Bool {
        try await missing([(uri, action)], of: name).isEmpty
    }

    /// The flat list, as a dictionary.
    func permissions(of name: String, _ query: String = "", by token: String? = nil) async throws -> [String: String] {
        let answer = try await service.get(path(name, "/permissions" + query), token: token ?? admin)
        guard answer.status == 200 else { throw PlatformError(.init(code: answer.status), answer.body) }
        let list = try JSONDecoder().decode([[String: String]].self, from: answer.data)
        return Dictionary(list.map { ($0["uri"] ?? "", $0["action"] ?? "") }) { first, _ in first }
    }

    func tree(_ query: String, of name: String, by token: String? = nil) async throws -> PermissionTree {
        let answer = try await service.get(path(name, "/permissions/tree?" + query), token: token ?? admin)
        guard answer.status == 200 else { throw PlatformError(.init(code: answer.status), answer.body) }
        return try answer.json()
    }

    /// Waits until checks are answered from Redis, whoever is asked about.
    func waitForCopy() async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try await !service.get("/ready").body.contains(#""acl_copy":{"detail":{"whole":"true"},"ok":true"#) {
            guard .now < deadline else { throw PlatformError.unavailable("the copy is not in use") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
