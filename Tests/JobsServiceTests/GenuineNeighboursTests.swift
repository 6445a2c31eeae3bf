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

@testable import JobsService

/// jobs-api among a genuine auth-api, admin-api and config-api, as a first start leaves them: two users, each with a project of its own.
@Suite(.timeLimit(.minutes(5)))
struct GenuineNeighboursTests {
    private struct Platform: Sendable {
        let auth: TestService
        let admin: TestService
        let config: TestService
        let jobs: TestService
        let signer: TokenSigner

        func token(_ name: String) async throws -> String {
            try await signer.sign(TokenClaims(name: PrincipalName(name), kind: name.hasSuffix("-api") ? .controlPlane : .user))
        }

        /// Cluster `default` with a preset, org and project `default` of admin, org and project `beta` of bob.
        func start() async throws {
            let cluster = try ClusterName("default")
            let config = ConfigClient(http: config.http, baseURL: config.url, token: Secret(try await token("admin")))
            try await config.createCluster(cluster)
            let patch: JSON = [
                "orchestrator": [
                    "job_hostname_template": "{job_id}.jobs.default.localhost:8080", "job_fallback_hostname": "localhost",
                    "job_schedule_timeout_s": 60, "job_schedule_scale_up_timeout_s": 60, "is_http_ingress_secure": false,
                    "resource_pool_types": [["name": "pool", "cpu": 4, "memory": 8_589_934_592]],
                    "resource_presets": [["name": "cpu-small", "credits_per_hour": "10", "cpu": 0.1, "memory": 134_217_728]],
                ]
            ]
            try await config.patchCluster(cluster, patch)
            let admin = AdminClient(http: admin.http, baseURL: admin.url + "/apis/admin/v1", token: Secret(try await token("admin")))
            try await admin.createUser(AdminUser(name: "admin", email: "admin@example.org"))
            try await admin.createCluster(AdminCluster(name: cluster))
            try await admin.createOrg(Org(name: OrgName("default")), joiningDefaultClusters: true)
            try await admin.createProject(.init(name: ProjectName("default")), cluster, OrgName("default"))
            try await admin.createUser(AdminUser(name: "bob", email: "bob@example.org"))
            let bob = AdminClient(http: self.admin.http, baseURL: self.admin.url + "/apis/admin/v1", token: Secret(try await token("bob")))
            try await bob.createOrg(Org(name: OrgName("beta")), joiningDefaultClusters: true)
            try await bob.createProject(.init(name: ProjectName("beta")), cluster, OrgName("beta"))
        }

        func create(_ user: String, place: String, _ more: Body = [:]) async throws -> TestAnswer {
            let body: Body = [
                "image": "registry.local/busybox:latest", "project_name": .string(place), "org_name": .string(place),
                "cluster_name": "default", "preset_name": "cpu-small", "resources": ["shm": true], "pass_config": false,
                "http": ["port": 80, "requires_auth": true], "command": "sh -c 'echo hello'", "max_run_time_minutes": 1440,
            ]
            return try await jobs.post("/api/v1/jobs?from_preset", token: token(user), body.merging(more) { _, given in given })
        }

        static func run(_ body: (Platform) async throws -> Void) async throws {
            let pem = TokenSigner.generatePEM()
            let signer = try await TokenSigner(pem: pem)
            func settings(_ name: String, _ more: [String: String]) async throws -> [String: String] {
                let token = try await signer.sign(TokenClaims(name: PrincipalName(name), kind: .controlPlane))
                return more.merging(["service.token": token, "public.url": "http://127.0.0.1:8080"]) { given, _ in given }
            }
            try await withService(AuthService.self, settings: ["auth.signing-keys": pem]) { (auth) async throws in
                var urls = ["auth.url": auth.url]
                try await withService(
                    AdminService.self, settings: settings("admin-api", urls), authenticator: Identity.authenticator
                ) { (admin) async throws in
                    urls["admin.url"] = admin.url + "/apis/admin/v1"
                    let sealing = ["config.sealing-keys": Data(repeating: 7, count: 32).base64EncodedString()]
                    try await withService(
                        ConfigService.self, settings: settings("config-api", urls.merging(sealing) { own, _ in own }),
                        authenticator: Identity.authenticator
                    ) { (config) async throws in
                        urls["config.url"] = config.url
                        try await withService(
                            JobsService.self, settings: settings("jobs-api", urls), authenticator: Identity.authenticator
                        ) { (jobs) async throws in
                            let platform = Platform(auth: auth, admin: admin, config: config, jobs: jobs, signer: signer)
                            try await platform.start()
                            try await body(platform)
                        }
                    }
                }
            }
        }
    }

    private struct List: Decodable { let jobs: [JobResponse] }

    @Test func twoUsersDoNotSeeEachOther() async throws {
        try await Platform.run { (platform) async throws in
            let created = try await platform.create("admin", place: "default", ["name": "hello"])
            #expect(created.status == 202, "\(created.body)")
            let job = try created.json(JobResponse.self)
            #expect(job.httpURL == "http://\(job.id).jobs.default.localhost:8080")
            #expect(job.priceCreditsPerHour == Money(10))
            let own = try await platform.create("bob", place: "beta", ["name": "hello"])
            #expect(own.status == 202, "\(own.body)")
            let bobs = try own.json(JobResponse.self)

            let foreign = try await platform.create("bob", place: "default")
            #expect(foreign.status == 403 && foreign.error?.contains("as a member of given organization") == true)
            let bob = try await platform.token("bob")
            let read = try await platform.jobs.get("/api/v1/jobs/\(job.id)", token: bob)
            #expect(read.status == 403 && read.body.contains(#"{"action":"read","uri":"job://default/default/default/hello"}"#))
            #expect(try await platform.jobs.delete("/api/v1/jobs/\(job.id)", token: bob).status == 403)
            #expect(try await platform.jobs.get("/api/v1/jobs/hello", token: bob).json(JobResponse.self).id == bobs.id)
            let seen = try await platform.jobs.get("/api/v1/jobs", token: bob).json(List.self).jobs
            #expect(seen.map(\.id) == [bobs.id])
            let all = try await platform.jobs.get("/api/v1/jobs", token: platform.token("admin")).json(List.self).jobs
            #expect(all.map(\.id) == [job.id, bobs.id])

            #expect(try await platform.jobs.delete("/api/v1/jobs/hello", token: bob).status == 204)
            let ended = try await platform.jobs.get("/api/v1/jobs/\(bobs.id)", token: bob).json(JobResponse.self)
            #expect(ended.status == .cancelled && ended.history.reason == "UserRequested")
        }
    }

    @Test func aPassedTokenIsTheJobsOwnAndDies() async throws {
        try await Platform.run { (platform) async throws in
            let created = try await platform.create("bob", place: "beta", ["pass_config": true])
            #expect(created.status == 202, "\(created.body)")
            let job = try created.json(JobResponse.self)
            let config = try #require(job.container.env["NEURO_PASSED_CONFIG"].flatMap { Data(base64Encoded: $0) })
            let token = try #require(try JSONDecoder().decode([String: String].self, from: config)["token"])
            #expect(try await platform.jobs.get("/api/v1/jobs/\(job.id)", token: token).status == 200)
            #expect(try await platform.jobs.delete("/api/v1/jobs/\(job.id)", token: platform.token("bob")).status == 204)
            // Never in the cluster, so gone with its end.
            #expect(try await platform.jobs.get("/api/v1/jobs/\(job.id)", token: token).status == 401)
        }
    }

    @Test func aDeletedUsersTokenIsWorthNothing() async throws {
        try await Platform.run { (platform) async throws in
            let created = try await platform.create("bob", place: "beta", ["name": "hello"])
            #expect(created.status == 202, "\(created.body)")
            let auth = AuthClient(
                http: platform.auth.http, baseURL: platform.auth.url, token: Secret(try await platform.token("admin")))
            let bob = try await platform.token("bob")
            try await auth.deleteUser(PrincipalName("bob"))
            for path in ["/api/v1/jobs", "/api/v1/jobs/hello", "/api/v1/jobs/unknown"] {
                #expect(try await platform.jobs.get(path, token: bob).status == 401)
            }
            let again = try await platform.create("bob", place: "beta")
            #expect(again.status == 401)
        }
    }
}
