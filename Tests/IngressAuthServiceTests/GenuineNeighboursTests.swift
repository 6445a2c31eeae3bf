import AdminService
import AuthService
import ConfigService
import Foundation
import Identity
import JobsService
import NIOHTTP1
import PlatformClients
import PlatformModel
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import IngressAuthService

/// Among the genuine auth-api, admin-api, config-api and jobs-api, with a cluster as the platform on one machine has it: plain http, and the
/// gateway's port in the jobs' addresses.
@Suite(.timeLimit(.minutes(10)))
struct GenuineNeighboursTests {
    private struct Platform: Sendable {
        let auth: TestService
        let admin: TestService
        let config: TestService
        let jobs: TestService
        let ingress: TestService
        let signer: TokenSigner

        func token(_ name: String) async throws -> String {
            try await signer.sign(TokenClaims(name: PrincipalName(name), kind: .user, issuedAt: name == "admin" ? Date() : Date() + 2))
        }

        func start() async throws {
            let cluster = try ClusterName("default")
            let secret = Secret(try await token("admin"))
            let config = ConfigClient(http: config.http, baseURL: config.url, token: secret)
            try await config.createCluster(cluster)
            let orchestrator = """
                {"orchestrator": {
                  "job_hostname_template": "{job_id}.jobs.default.localhost:8080", "job_fallback_hostname": "default.jobs.default.localhost",
                  "is_http_ingress_secure": false, "resource_pool_types": [{"name": "pool", "cpu": 4, "memory": 8589934592}],
                  "resource_presets": [{"name": "cpu-small", "credits_per_hour": "10", "cpu": 0.1, "memory": 134217728}]}}
                """
            try await config.patchCluster(cluster, JSONDecoder().decode(JSON.self, from: Data(orchestrator.utf8)))
            let client = AdminClient(http: admin.http, baseURL: admin.url + "/apis/admin/v1", token: secret)
            for user in ["admin", "bob"] { try await client.createUser(AdminUser(name: user, email: "\(user)@example.org")) }
            try await client.createCluster(AdminCluster(name: cluster))
            try await client.createOrg(Org(name: OrgName("default")), joiningDefaultClusters: true)
            try await client.createProject(.init(name: ProjectName("default")), cluster, OrgName("default"))
        }

        func createJob(_ name: String) async throws -> JobResponse {
            let answer = try await jobs.post("/api/v1/jobs?from_preset", token: token("admin"), JobBody(name: name))
            #expect(answer.status == 202, "\(answer.body)")
            return try answer.json()
        }

        func ask(_ url: String?, _ headers: HTTPHeaders = [:]) async throws -> TestAnswer {
            var headers = headers
            let rest = try #require(url).dropFirst("http://".count)
            headers.add(name: "X-Forwarded-Host", value: String(rest))
            headers.add(name: "X-Forwarded-Uri", value: "/lab")
            return try await ingress.get("/oauth/authorize", headers: headers)
        }

        static func run(_ body: @escaping @Sendable (Platform) async throws -> Void) async throws {
            let pem = TokenSigner.generatePEM()
            let signer = try await TokenSigner(pem: pem)
            let urls = Urls()
            func settings(_ name: String, _ more: [String: String] = [:]) async throws -> [String: String] {
                let kind = name == "ingress-auth" ? TokenKind.user : .controlPlane
                let token = try await signer.sign(TokenClaims(name: PrincipalName(name), kind: kind))
                return more.merging(urls.all) { $1 }.merging(["service.token": token, "public.url": "http://127.0.0.1:8080"]) { $1 }
            }
            try await withService(
                AuthService.self, settings: ["auth.signing-keys": pem, "public.url": "http://127.0.0.1:8080"]
            ) { (auth) async throws in
                urls.add("auth.url", auth.url)
                try await withService(AdminService.self, settings: settings("admin-api"), authenticator: Identity.authenticator) {
                    (admin) async throws in
                    urls.add("admin.url", admin.url + "/apis/admin/v1")
                    let sealing = ["config.sealing-keys": Data(repeating: 7, count: 32).base64EncodedString()]
                    try await withService(
                        ConfigService.self, settings: settings("config-api", sealing), authenticator: Identity.authenticator
                    ) { (config) async throws in
                        urls.add("config.url", config.url)
                        try await withService(JobsService.self, settings: settings("jobs-api"), authenticator: Identity.authenticator) {
                            (jobs) async throws in
                            urls.add("jobs.url", jobs.url)
                            let own = ["ingress.auth.keys": IngressAuthServiceTests.Platform.keys, "ingress.cache.time": "0.3"]
                            try await withService(
                                IngressAuthService.self, settings: settings("ingress-auth", own.merging(["postgres.url": "none"]) { $1 })
                            ) { (ingress) async throws in
                                let platform = Platform(
                                    auth: auth, admin: admin, config: config, jobs: jobs, ingress: ingress, signer: signer)
                                try await platform.start()
                                try await body(platform)
                            }
                        }
                    }
                }
            }
        }
    }

    private final class Urls: Sendable {
        private let values = Guarded<[String: String]>([:])
        var all: [String: String] { values.value }
        func add(_ key: String, _ url: String) { values.change { $0[key] = url } }
    }

    @Test func jobsAreFoundByTheirHosts() async throws {
        try await Platform.run { (platform) async throws in
            let job = try await platform.createJob("trainer")
            #expect(job.httpURLNamed == "http://trainer--\(job.orgProjectHash).jobs.default.localhost:8080")
            let admin = try await platform.token("admin")
            let bob = try await platform.token("bob")
            for url in [job.httpURL, job.httpURLNamed] {
                try await eventually("the cluster's zone is known") {
                    try await platform.ask(url, ["Cookie": "dat=\(admin)"]).status == 200
                }
                #expect(try await platform.ask(url, ["Authorization": "Bearer \(admin)"]).status == 200)
                #expect(try await platform.ask(url, ["Cookie": "dat=\(bob)"]).status == 403)
                let sent = try await platform.ask(url)
                #expect(sent.status == 302 && sent.location?.hasPrefix("http://127.0.0.1:8080/oauth/login?rd=") == true)
                // Over plain http there are no secure cookies.
                #expect(sent.cookies.first?.wholeMatch(of: /ia-n=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600/) != nil)
                let rd = try #require(sent.location?.components(separatedBy: "rd=").last)
                let target = ReturnTarget(rd, keys: try KeyRing(text: IngressAuthServiceTests.Platform.keys), now: Date())
                #expect(target?.url == (url ?? "") + "/lab")
                let login = try await platform.ingress.get("/oauth/login?rd=\(rd)")
                #expect(login.status == 302 && login.location?.hasPrefix("http://127.0.0.1:8080/auth/authorize?") == true)
            }
            // The same name and place under other domains, other hashes, impossible labels.
            for host in [
                "trainer--0123456789.jobs.default.localhost:8080", "trainer--bob.jobs.default.localhost",
                "\(job.id).jobs.other.localhost:8080", "trainer.jobs.default.localhost", "\(JobID.random()).jobs.default.localhost",
            ] {
                #expect(try await platform.ask("http://" + host, ["Cookie": "dat=\(admin)"]).status == 403, "\(host)")
            }
            let upper = "http://TRAINER--\(job.orgProjectHash.uppercased()).jobs.default.localhost"
            #expect(try await platform.ask(upper, ["Cookie": "dat=\(admin)"]).status == 200)
            // Shared by its id, as `apolo share` does.
            let auth = AuthClient(http: platform.auth.http, baseURL: platform.auth.url, token: Secret(admin))
            try await auth.grant([Permission(ResourceURI(job.uri), .read)], to: PrincipalName("bob"))
            try await eventually("shared") { try await platform.ask(job.httpURLNamed, ["Cookie": "dat=\(bob)"]).status == 200 }
            // Ended and begun again under its name: what was shared is the old one.
            #expect(try await platform.jobs.delete("/api/v1/jobs/\(job.id)", token: admin).status == 204)
            let next = try await platform.createJob("trainer")
            #expect(next.httpURLNamed == job.httpURLNamed)
            try await eventually("the new job's host") {
                try await platform.ask(next.httpURLNamed, ["Cookie": "dat=\(bob)"]).status == 403
            }
            // The service's own token is good for nothing more than it needs.
            let own = try await platform.signer.sign(TokenClaims(name: PrincipalName("ingress-auth")))
            let clusters = try await platform.config.get("/api/v1/clusters", token: own)
            #expect(clusters.status == 200 && !clusters.body.contains(#""token""#) && !clusters.body.contains("kubeconfig"))
            #expect(try await platform.jobs.delete("/api/v1/jobs/\(next.id)", token: own).status == 403)
        }
    }
}

/// A value behind a lock.
private final class Guarded<Value: Sendable>: Sendable {
    private let box: Mutex<Value>
    init(_ value: Value) { box = Mutex(value) }
    var value: Value { box.withLock { $0 } }
    func change(_ body: (inout Value) -> Void) { box.withLock { body(&$0) } }
}

private struct JobBody: Encodable, Sendable {
    struct HTTP: Encodable, Sendable {
        let port = 80
        let requires_auth = true
    }
    let image = "busybox"
    let cluster_name = "default"
    let org_name = "default"
    let project_name = "default"
    let preset_name = "cpu-small"
    let http = HTTP()
    let command = "true"
    let name: String
}
