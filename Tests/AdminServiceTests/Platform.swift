import AdminService
import AuthService
import Foundation
import Identity
import PlatformClients
import PlatformModel
import ServiceKit
import TestSupport

/// A genuine auth-api and an admin-api on top of it, with whatever tokens a test needs.
struct Platform: Sendable {
    let admin: TestService
    let auth: TestService
    let signer: TokenSigner

    static let base = "/apis/admin/v1"

    func token(_ name: String) async throws -> String {
        let kind: TokenKind = name.hasSuffix("-api") ? .controlPlane : .user
        return try await signer.sign(TokenClaims(name: PrincipalName(name), kind: kind, issuedAt: Date() + 2))
    }

    func client(_ name: String) async throws -> AdminClient {
        AdminClient(http: admin.http, baseURL: admin.url + Self.base, token: Secret(try await token(name)))
    }

    func authClient(_ name: String = "admin-api") async throws -> AuthClient {
        AuthClient(http: admin.http, baseURL: auth.url, token: Secret(try await token(name)))
    }

    /// Whether a principal holds a permission.
    func holds(_ name: String, _ uri: String, _ action: Action) async throws -> Bool {
        try await authClient().check([Permission(ResourceURI(uri), action)], of: PrincipalName(name)) == []
    }

    func call(_ method: String, _ path: String, as name: String, _ body: JSON? = nil) async throws -> TestAnswer {
        try await admin.call(.init(rawValue: method), Self.base + path, token: token(name), body: body)
    }

    /// Lines of the audit log, newest first.
    func audit(_ query: String = "") async throws -> [JSON] {
        let answer = try await call("GET", "/audit?\(query)", as: "admin")
        guard case .object(let page) = try answer.json(JSON.self), case .array(let items)? = page["items"] else { return [] }
        return items
    }

    private static let turnstile = Turnstile(slots: 5)

    static func with<T>(settings more: [String: String] = [:], _ body: (Platform) async throws -> T) async throws -> T {
        try await turnstile.pass { try await run(settings: more, body) }
    }

    private static func run<T>(settings more: [String: String], _ body: (Platform) async throws -> T) async throws -> T {
        let pem = TokenSigner.generatePEM()
        let signer = try await TokenSigner(pem: pem)
        return try await withService(AuthService.self, settings: ["auth.signing-keys": pem]) { auth in
            let token = try await signer.sign(TokenClaims(name: PrincipalName("admin-api"), kind: .controlPlane))
            let settings = ["auth.url": auth.url, "service.token": token].merging(more) { $1 }
            return try await withService(AdminService.self, settings: settings, authenticator: Identity.authenticator) { admin in
                try await body(Platform(admin: admin, auth: auth, signer: signer))
            }
        }
    }

    /// What a first start makes: user `admin`, cluster, organization and project `default`, and users alice and bob.
    static func withDefaults<T>(settings: [String: String] = [:], _ body: (Platform) async throws -> T) async throws -> T {
        try await with(settings: settings) { (platform) async throws in
            let admin = try await platform.client("admin")
            let name = "default"
            try await admin.createUser(AdminUser(name: "admin", email: "admin@example.org"))
            try await admin.createCluster(AdminCluster(name: ClusterName(name), defaultQuota: Quota(totalRunningJobs: 20)))
            try await admin.createOrg(Org(name: OrgName(name)), joiningDefaultClusters: true)
            try await admin.createProject(.init(name: ProjectName(name)), ClusterName(name), OrgName(name))
            for user in ["alice", "bob"] {
                try await admin.createUser(AdminUser(name: user, email: "\(user)@example.org", firstName: user.capitalized))
            }
            return try await body(platform)
        }
    }
}
