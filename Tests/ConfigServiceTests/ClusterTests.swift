import Foundation
import PlatformClients
import PlatformModel
import TestSupport
import Testing

/// Clusters: who sees and changes what, and what a change does.
@Suite(.timeLimit(.minutes(5)))
struct ClusterTests {
    /// What one or the other generation of clients cannot do without.
    private let requiredKeys: Set = [
        "name", "status", "created_at", "orchestrator", "storage", "registry", "monitoring", "secrets", "metrics", "grafana", "prometheus",
        "disks", "buckets", "energy", "apps", "ingress", "dns", "timezone",
    ]

    @Test func aBlankClusterIsComplete() async throws {
        try await Platform.run { platform in
            let admin = try await platform.token("admin")
            let created = try await platform.service.post("/api/v1/clusters", token: admin, ["name": "blank-one"])
            #expect(created.status == 201)
            #expect(Set(try created.object().keys).isSuperset(of: requiredKeys))
            #expect(try created.object()["status"] as? String == "blank")
            #expect((try created.object()["created_at"] as? String)?.hasSuffix("+00:00") == true)
            let again = try await platform.service.get("/api/v1/clusters/blank-one", token: admin)
            #expect(try again.json(ClusterDocument.self) == created.json(ClusterDocument.self))
            #expect(!again.body.contains("null,") || !again.body.contains(": null"))
        }
    }

    @Test func aNewClusterFollowsTheConventions() async throws {
        try await Platform.run { platform in
            let admin = try await platform.token("admin")
            let made: ClusterDocument = try await platform.service.post("/api/v1/clusters", token: admin, ["name": "company"]).json()
            #expect(made.orchestrator.jobScheduleTimeout == 300 && made.orchestrator.jobScheduleScaleUpTimeout == 900)
            #expect(made.timezone == "UTC" && made.ingress.acmeEnvironment == "production" && made.dns.name == "company.localhost")
            let schedule = try #require(made.energy.schedules.first)
            #expect(made.energy.schedules.count == 1 && schedule.name == "default" && schedule.pricePerKWh == .zero)
            #expect(schedule.periods.map(\.weekday) == Array(1...7))
            #expect(schedule.periods.allSatisfy { $0.startTime == "00:00" && $0.endTime == "23:59" })
            for name in ["admin", String(repeating: "a", count: 41), "users"] {
                let refused = try await platform.service.post("/api/v1/clusters", token: admin, ["name": name])
                #expect(refused.status == 400 && refused.error?.contains("name") == true)
            }
        }
    }

    @Test func noClusterTakesTheHostsOfAnother() async throws {
        try await Platform.run { platform in
            try await platform.makeCluster("company")
            try await platform.makeCluster("other")
            for zone in ["other.localhost", "inner.other.localhost", "localhost", "OTHER.localhost"] {
                let own = try await platform.ownToken("company")
                let refused = try await platform.patch("company", "{\"dns\": {\"name\": \"\(zone)\"}}", by: own)
                #expect(refused.status == 400 && refused.error?.contains("dns.name") == true, "\(zone)")
            }
            #expect(try await platform.patch("company", #"{"dns": {"name": "another.localhost"}}"#).status == 200)
            // The name is taken by its zone, so the cluster of that name cannot be made.
            let taken = try await platform.service.post("/api/v1/clusters", token: platform.token("admin"), ["name": "another"])
            #expect(taken.status == 400 && taken.error?.contains("dns.name") == true)
        }
    }

    @Test func midnightEndsTheDayAndSchedulesAreKept() async throws {
        try await Platform.run { platform in
            try await platform.makeCluster("company")
            let energy = """
                {"energy": {"co2_grams_eq_per_kwh": 417.5, "schedules": [{"name": "night", "price_per_kwh": "0.09",
                 "periods": [{"weekday": 6, "start_time": "22:00", "end_time": "00:00"}]}]}}
                """
            let after: ClusterDocument = try await platform.patch("company", energy).json()
            #expect(after.energy.co2GramsPerKWh == 417.5)
            #expect(
                after.energy.schedules == [
                    .init(
                        name: "night", pricePerKWh: Money(Decimal(9) / 100),
                        periods: [.init(weekday: 6, startTime: "22:00", endTime: "23:59")])
                ])
        }
    }

    @Test func whatWasWrongBeforeDoesNotStopOtherChanges() async throws {
        try await Platform.run { platform in
            try await platform.makeCluster("company")
            // The templates of jobs and apps lie outside the zone now.
            #expect(try await platform.patch("company", #"{"dns": {"name": "company.example.com"}}"#).status == 200)
            #expect(try await platform.patch("company", #"{"timezone": "Europe/Berlin"}"#).status == 200)
            let below = #"{"orchestrator": {"job_hostname_template": "{job_id}.jobs.company.example.com:8443"}}"#
            #expect(try await platform.patch("company", below).status == 200)
        }
    }

    @Test func changesAreWrittenDownWithoutSecrets() async throws {
        try await Platform.run { platform in
            try await platform.makeCluster("company")
            try await platform.patch("company", #"{"credentials": {"kubernetes": {"kubeconfig": "TOP-SECRET"}}, "location": "moon"}"#)
            let entries = platform.service.log.entries("audit")
            #expect(entries.compactMap { $0["event"] as? String } == ["create", "change", "change"])
            #expect(entries.last?["sections"] as? String == "credentials, location" || "\(entries.last ?? [:])".contains("credentials"))
            #expect(entries.allSatisfy { $0["actor"] as? String == "admin" && $0["cluster"] as? String == "company" })
            #expect(!platform.service.log.lines.contains { $0.contains("TOP-SECRET") })
        }
    }

    @Test func creatingTakesManageOnAllClustersAndAFreeName() async throws {
        try await Platform.run { platform in
            try platform.neighbours.grant("alice", "cluster://company", .manage)
            let refused = try await platform.service.post("/api/v1/clusters", token: platform.token("alice"), ["name": "mine"])
            #expect(refused.status == 403 && refused.body.contains("\"missing\""))
            let admin = try await platform.token("admin")
            #expect(try await platform.service.post("/api/v1/clusters", token: admin, ["name": "No Name"]).status == 400)

            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<5 {
                    group.addTask { try await platform.service.post("/api/v1/clusters", token: admin, ["name": "company"]).status }
                }
                return try await group.reduce(into: [Int]()) { $0.append($1) }
            }
            #expect(statuses.sorted() == [201, 400, 400, 400, 400])
            let taken = try await platform.service.post("/api/v1/clusters", token: admin, ["name": "company"])
            #expect(taken.error?.contains("already exists") == true)
            let client = platform.client(admin)
            #expect(try await client.createCluster(try ClusterName("company")) == false)
            #expect(try await client.createCluster(try ClusterName("company-2")))
        }
    }

    @Test func listsHoldWhatTheCallerMayUse() async throws {
        try await Platform.run { platform in
            try await platform.makeCluster("company")
            try await platform.makeCluster("secret")
            try platform.neighbours.grant("alice", "cluster://company/access", .read)
            func names(_ token: String) async throws -> [String] {
                try await platform.service.get("/api/v1/clusters", token: token).json([ClusterDocument].self).map(\.name.text)
            }
            let alice = try await platform.token("alice")
            #expect(try await names(alice) == ["company"])
            #expect(try await names(platform.token("stranger")) == [])
            #expect(try await names(platform.token("admin")) == ["company", "secret"])
            #expect(try await platform.service.get("/api/v1/clusters/company", token: alice).status == 200)
            // What is invisible and what is not there look alike.
            let hidden = try await platform.service.get("/api/v1/clusters/secret", token: alice)
            let missing = try await platform.service.get("/api/v1/clusters/nowhere", token: alice)
            #expect(hidden.status == 404 && missing.status == 404)
            #expect(hidden.error?.replacing("secret", with: "nowhere") == missing.error)
            #expect(try await platform.service.get("/api/v1/clusters").status == 401)
            platform.neighbours.revoke("alice")
            #expect(try await platform.service.get("/api/v1/clusters", token: alice).status == 401)
        }
    }

    @Test func credentialsAreForTheClusterAndTheControlPlane() async throws {
        try await Platform.run { platform in
            try await platform.makeCluster("company")
            try await platform.makeCluster("other")
            let admin = try await platform.token("admin")
            let patch = JSON.parse(#"{"credentials": {"kubernetes": {"kubeconfig": "TOP-SECRET"}}}"#)
            let patched = try await platform.service.patch("/api/v1/clusters/company", token: admin, patch)
            #expect(patched.status == 200 && !patched.body.contains("TOP-SECRET"))

            let path = "/api/v1/clusters/company"
            try platform.neighbours.grant("alice", "cluster://company", .manage)
            for token in [admin, try await platform.token("alice")] {
                #expect(try await !platform.service.get(path, token: token).body.contains("TOP-SECRET"))
                #expect(try await !platform.service.get("/api/v1/clusters", token: token).body.contains("TOP-SECRET"))
            }
            // A user does not become a service by holding a service's grants, nor a service by its kind alone.
            try platform.neighbours.grant("mallory", "cluster:", .read)
            #expect(try await !platform.service.get(path, token: platform.token("mallory")).body.contains("TOP-SECRET"))
            let powerless = try await platform.token("reports", kind: .controlPlane)
            #expect(try await platform.service.get(path, token: powerless).status == 404)

            let jobs = platform.client(try await platform.token("jobs-api", kind: .controlPlane))
            #expect(try await jobs.cluster(try ClusterName("company"))?.kubernetes?.kubeconfig == "TOP-SECRET")
            let own = try await platform.token("company", kind: .cluster, cluster: "company")
            #expect(try await platform.service.get(path, token: own).body.contains("TOP-SECRET"))
            #expect(try await platform.service.get("/api/v1/clusters/other", token: own).status == 404)
            let listed = try await platform.service.get("/api/v1/clusters", token: own).json([ClusterDocument].self)
            #expect(listed.map(\.name.text) == ["company"])
        }
    }

    /// Everybody can come to manage a cluster, by making one; the control plane must not be sent anywhere by that.
    @Test func whereTheControlPlaneConnectsToIsForOperators() async throws {
        try await Platform.run { platform in
            try await platform.makeCluster("company")
            try platform.neighbours.grant("alice", "cluster://company", .manage)
            let alice = try await platform.token("alice")
            let kubeconfig = #"{"credentials": {"kubernetes": {"kubeconfig": "users: [{user: {tokenFile: /etc/passwd}}]"}}}"#
            let refused = try await platform.patch("company", kubeconfig, by: alice)
            #expect(refused.status == 403 && refused.body.contains(#"{"action":"manage","uri":"cluster:"}"#))
            #expect(try await platform.patch("company", #"{"credentials": {"kubernetes": "x"}}"#, by: alice).status == 403)
            let jobs = platform.client(try await platform.token("jobs-api", kind: .controlPlane))
            #expect(try await jobs.cluster(try ClusterName("company"))?.kubernetes == nil)
            let own = #"{"credentials": {"kubernetes": null, "grafana": {"username": "u", "password": "p"}}}"#
            #expect(try await platform.patch("company", own, by: alice).status == 200)
        }
    }

    /// They let jobs see folders of the nodes.
    @Test func whatLiesUnderTheStorageIsForOperators() async throws {
        try await Platform.run { platform in
            try await platform.makeCluster("company")
            try platform.neighbours.grant("alice", "cluster://company", .manage)
            let (admin, alice) = (try await platform.token("admin"), try await platform.token("alice"))
            let backends = #"{"credentials": {"kubernetes": {"storage_backends": [{"host_path": {"path": "/exports"}}]}}}"#
            #expect(try await platform.patch("company", backends, by: alice).status == 403)
            let kubeconfig = #"{"credentials": {"kubernetes": {"kubeconfig": "apiVersion: v1"}}}"#
            for patch in [backends, kubeconfig] { #expect(try await platform.patch("company", patch, by: admin).status == 200) }
            for token in [admin, alice] {
                for path in ["clusters", "clusters/company", "config"] {
                    let seen = try await platform.service.get("/api/v1/\(path)", token: token).body
                    #expect(!seen.contains("/exports") && !seen.contains("storage_backends"))
                }
            }
            let jobs = platform.client(try await platform.token("jobs-api", kind: .controlPlane))
            let name = try ClusterName("company")
            let document = try await jobs.cluster(name)
            #expect(try document?.storageBackends.all == [.init(source: .hostPath(path: "/exports", type: ""))])
            #expect(document?.kubernetes?.kubeconfig == "apiVersion: v1")

            let broken = #"{"credentials": {"kubernetes": {"storage_backends": [{"host_path": {"path": "exports"}}]}}}"#
            let refused = try await platform.patch("company", broken, by: admin)
            #expect(refused.status == 400)
            #expect(refused.error == "credentials.kubernetes.storage_backends[0].host_path.path: must be an absolute path")
            let none = #"{"credentials": {"kubernetes": {"storage_backends": []}}}"#
            #expect(try await platform.patch("company", none, by: admin).status == 200)
            #expect(try await jobs.cluster(name)?.storageBackends.isEmpty == true)
        }
    }

    @Test func aZoneWhereTemplatesWereLeftIsNobodyElses() async throws {
        try await Platform.run { platform in
            try await platform.makeCluster("company")
            try await platform.makeCluster("other")
            #expect(try await platform.patch("company", #"{"dns": {"name": "company.example.com"}}"#).status == 200)
            // The templates of company still lie there.
            let taken = try await platform.patch("other", #"{"dns": {"name": "company.localhost"}}"#)
            #expect(taken.status == 400 && taken.body.contains("dns.name"))
            let moved = """
                {"orchestrator": {"job_hostname_template": "{job_id}.jobs.company.example.com"},
                 "apps": {"apps_hostname_templates": ["{app_name}.apps.company.example.com"], "app_proxy_url": "https://p.company.example.com"}}
                """
            #expect(try await platform.patch("company", moved).status == 200)
            #expect(try await platform.patch("other", #"{"dns": {"name": "company.localhost"}}"#).status == 200)
        }
    }

    @Test func aClustersTokenChangesWhatItKnowsOnly() async throws {
        try await Platform.run { platform in
            try await platform.makeCluster("company")
            try await platform.makeCluster("other")
            let own = try await platform.token("company", kind: .cluster, cluster: "company")
            let dns = JSON.parse(
                #"{"dns": {"name": "company.example.com", "a_records": [{"name": "x.company.example.com.", "ips": ["192.0.2.1"]}]}}"#)
            let changed = try await platform.service.patch("/api/v1/clusters/company", token: own, dns)
            #expect(changed.status == 200)
            #expect(try changed.json(ClusterDocument.self).dns.name == "company.example.com")
            let storage = JSON.parse(#"{"storage": {"url": "https://evil.example.com"}}"#)
            #expect(try await platform.service.patch("/api/v1/clusters/company", token: own, storage).status == 403)
            #expect([403, 404].contains(try await platform.service.patch("/api/v1/clusters/other", token: own, dns).status))
            #expect(try await platform.service.delete("/api/v1/clusters/company", token: own).status == 403)
        }
    }

    @Test func patchesMergeAndReplaceAsTheContractSays() async throws {
        try await Platform.run { platform in
            try await platform.makeCluster("company")
            let admin = try await platform.token("admin")
            func patch(_ text: String) async throws -> TestAnswer {
                try await platform.service.patch("/api/v1/clusters/company", token: admin, JSON.parse(text))
            }
            let before: ClusterDocument = try await platform.service.get("/api/v1/clusters/company", token: admin).json()
            let volumes = try await patch(#"{"storage": {"url": "https://a.example.com", "volumes": [{"name": "v", "path": "/v"}]}}"#)
            #expect(volumes.status == 200)
            let after: ClusterDocument = try await patch(
                """
                {"storage": {"url": "https://b.example.com"}, "metrics": {"url": "https://grafana.example.com"},
                 "timezone": "Europe/Berlin",
                 "orchestrator": {"is_http_ingress_secure": false}, "disks": {"url": "https://d.example.com"}, "nonsense": 1}
                """
            ).json()
            #expect(after.storage.url == "https://b.example.com" && after.storage.volumes.map(\.name) == ["v"])
            #expect(after.grafana.url == "https://grafana.example.com" && after.prometheus.url == "https://prometheus.example.com")
            #expect(after.timezone == "Europe/Berlin" && !after.orchestrator.isHTTPIngressSecure)
            #expect(after.orchestrator.resourcePresets == before.orchestrator.resourcePresets)
            #expect(after.disks.url == "https://d.example.com" && after.disks.storageLimitPerUser == before.disks.storageLimitPerUser)
            #expect(after.registry == before.registry && after.createdAt == before.createdAt)
        }
    }

    /// A patch with one period in one schedule.
    private static func period(_ text: String) -> String {
        #"{"energy": {"schedules": [{"name": "n", "price_per_kwh": "0", "periods": [{\#(text)}]}]}}"#
    }

    @Test(arguments: [
        (#"{"timezone": "Mars/Olympus"}"#, "timezone"), (#"{"storage": {"url": 1}}"#, "storage.url"), (#"{"storage": []}"#, "storage"),
        (#"{"orchestrator": {"job_hostname_template": "none"}}"#, "job_hostname_template"),
        (#"{"orchestrator": {"resource_presets": [{"name": "x", "credits_per_hour": "1", "cpu": 0, "memory": 1}]}}"#, "cpu"),
        (#"{"orchestrator": {"resource_pool_types": [{"name": "a"}, {"name": "a"}]}}"#, "resource_pool_types"), ("[]", ""),
        (#"{"timezone": "GMT+3"}"#, "timezone"), (#"{"timezone": null}"#, "timezone"),
        (#"{"registry": {"url": "registry"}}"#, "registry.url"), (#"{"logo_url": "javascript:alert(1)"}"#, "logo_url"),
        (#"{"apps": {"app_proxy_url": "https://user:password@x.example.com"}}"#, "apps.app_proxy_url"),
        (#"{"storage": {"url": "https://s", "volumes": [{"name": "v", "path": "/a/../b"}]}}"#, "storage.volumes['v'].path"),
        (#"{"storage": {"url": "https://s", "volumes": [{"name": "v", "path": "a"}]}}"#, "storage.volumes['v'].path"),
        (#"{"storage": {"url": "https://s", "volumes": [{"name": "v", "size": -1}]}}"#, "storage.volumes['v'].size"),
        (#"{"storage": {"url": "https://s", "volumes": [{"name": "v"}, {"name": "w"}]}}"#, "storage.volumes"),
        (#"{"storage": {"url": "https://s", "volumes": [{"name": "v"}, {"name": "v", "path": "/v"}]}}"#, "storage.volumes"),
        (#"{"disks": {"url": "https://d", "storage_limit_per_user": -5}}"#, "disks.storage_limit_per_user"),
        (#"{"ingress": {"acme_environment": "moon"}}"#, "ingress.acme_environment"),
        (#"{"ingress": {"acme_environment": "staging", "additional_cors_origins": ["*"]}}"#, "ingress.additional_cors_origins"),
        (#"{"ingress": {"acme_environment": "staging", "default_cors_origins": ["http://a.b"]}}"#, "ingress.default_cors_origins"),
        (#"{"ingress": {"acme_environment": "staging", "default_cors_origins": ["https://*.a.b"]}}"#, "ingress.default_cors_origins"),
        (#"{"dns": {"name": "a b"}}"#, "dns.name"),
        (#"{"dns": {"name": "c.example.com", "a_records": [{"name": "d.example.com.", "ips": ["192.0.2.1"]}]}}"#, "dns.a_records[0].name"),
        (#"{"dns": {"name": "c.example.com", "a_records": [{"name": "*.c.example.com."}]}}"#, "dns.a_records[0].ips"),
        (#"{"orchestrator": {"job_hostname_template": "{job_id}.jobs.other.localhost"}}"#, "orchestrator.job_hostname_template"),
        (
            #"{"dns": {"name": "not-used"}, "orchestrator": {"job_hostname_template": "{job_id}.jobs.other.localhost"}}"#,
            "orchestrator.job_hostname_template"
        ),
        (#"{"orchestrator": {"job_schedule_timeout_s": -1}}"#, "orchestrator.job_schedule_timeout_s"),
        (#"{"orchestrator": {"idle_jobs": [{"name": "x"}]}}"#, "orchestrator.idle_jobs[0].count"),
        (#"{"orchestrator": {"resource_pool_types": [{"name": "a", "min_size": 3, "max_size": 2}]}}"#, "['a'].min_size"),
        (#"{"orchestrator": {"resource_pool_types": [{"name": "a", "nvidia_gpu": {"count": 1}}]}}"#, "['a'].nvidia_gpu.model"),
        (#"{"orchestrator": {"resource_pool_types": [{"name": "a", "memory": -1}]}}"#, "['a'].memory"),
        (#"{"orchestrator": {"resource_presets": [{"name": "a/b", "credits_per_hour": "1", "cpu": 1, "memory": 1}]}}"#, "name"),
        (#"{"orchestrator": {"resource_presets": [{"name": "x", "credits_per_hour": "-1", "cpu": 1, "memory": 1}]}}"#, "credits_per_hour"),
        (#"{"energy": {"co2_grams_eq_per_kwh": -1}}"#, "energy.co2_grams_eq_per_kwh"),
        (
            ClusterTests.period(#""weekday": 8, "start_time": "00:00", "end_time": "01:00""#),
            "energy.schedules['n'].periods[0].weekday"
        ),
        (
            ClusterTests.period(#""weekday": 1, "start_time": "5:00", "end_time": "24:00""#),
            "energy.schedules['n'].periods[0].start_time"
        ),
        (
            ClusterTests.period(#""weekday": 1, "start_time": "05:00", "end_time": "05:00""#),
            "energy.schedules['n'].periods[0].end_time"
        ),
        (#"{"credentials": {"neuro": "x"}}"#, "credentials.neuro"),
    ])
    func badPatchesChangeNothing(_ patch: String, _ field: String) async throws {
        try await Platform.run { platform in
            try await platform.makeCluster("company")
            let admin = try await platform.token("admin")
            let before = try await platform.service.get("/api/v1/clusters/company", token: admin)
            let refused = try await platform.service.patch("/api/v1/clusters/company", token: admin, JSON.parse(patch))
            #expect(refused.status == 400 && (field.isEmpty || refused.error?.contains(field) == true), "\(refused.body)")
            #expect(try await platform.service.get("/api/v1/clusters/company", token: admin).body == before.body)
        }
    }

    @Test func aPatchWithoutEffectIsNone() async throws {
        try await Platform.run { platform in
            try await platform.makeCluster("company")
            let admin = try await platform.token("admin")
            let before = try await platform.service.get("/api/v1/clusters/company", token: admin)
            let tag = try #require(before.headers.first(name: "ETag"))
            for patch in ["{}", #"{"orchestrator": {"is_http_ingress_secure": true}}"#] {
                let answer = try await platform.service.patch("/api/v1/clusters/company", token: admin, JSON.parse(patch))
                #expect(answer.status == 200)
                #expect(try answer.json(ClusterDocument.self) == before.json(ClusterDocument.self))
            }
            let unchanged = try await platform.service.get("/api/v1/clusters/company", token: admin, headers: ["If-None-Match": tag])
            #expect(unchanged.status == 304 && unchanged.body.isEmpty)
        }
    }

    @Test func aDeletedClusterIsGoneAndItsNameFree() async throws {
        try await Platform.run { platform in
            try await platform.makeCluster("company")
            let admin = try await platform.token("admin")
            try platform.neighbours.grant("alice", "cluster://company/access", .read)
            #expect(try await platform.service.delete("/api/v1/clusters/company", token: platform.token("alice")).status == 403)
            #expect(try await platform.service.delete("/api/v1/clusters/company", token: admin).status == 204)
            #expect(try await platform.service.get("/api/v1/clusters/company", token: admin).status == 404)
            #expect(try await platform.service.delete("/api/v1/clusters/company", token: admin).status == 404)
            try await platform.makeCluster("company")
        }
    }

    @Test func aNeighbourThatIsAwayIsSaidSo() async throws {
        try await Platform.run { platform in
            let token = try await platform.token("admin")
            platform.neighbours.isAway = true
            async let config = platform.service.get("/api/v1/config", token: token)
            async let clusters = platform.service.get("/api/v1/clusters", token: token)
            for answer in [try await config, try await clusters] {
                #expect(answer.status == 503 && answer.headers.first(name: "Retry-After") != nil)
            }
            #expect(try await platform.service.get("/api/v1/config").status == 200)
        }
    }
}
