import Foundation
import Identity
import Logging
import PlatformClients
import PlatformModel
import Postgres
import ServiceKit
import TestSupport

@testable import JobsService

/// A platform as small as jobs-api needs it: cluster `test-cluster`, orgs and projects, users `alice` (writer of acme/proj), `bob` (of
/// beta/other), `reader` (reads acme/proj), `root` (everything), `poller` (manages the cluster's jobs).
enum Fixture {
    static let cluster = "test-cluster"

    static func document() throws -> ClusterDocument {
        var document = ClusterDocument(blank: try ClusterName(cluster), dnsName: "example.org", createdAt: UTCTime(microseconds: 0))
        document.orchestrator.jobHostnameTemplate = "{job_id}.jobs.example.org"
        document.orchestrator.resourcePresets = [
            ResourcePreset(name: "cpu-small", creditsPerHour: Money(10), cpu: 0.5, memory: 64 << 20),
            ResourcePreset(
                name: "gpu", creditsPerHour: Money("20.50") ?? .zero, cpu: 8, memory: 1 << 30, nvidiaGPU: GPU(count: 1, model: "H100"),
                schedulerEnabled: true, preemptibleNode: true),
        ]
        document.orchestrator.resourcePoolTypes = [
            ResourcePoolType(name: "cpu", cpu: 4, memory: 4 << 30),
            ResourcePoolType(
                name: "tpu", cpu: 4, memory: 4 << 30,
                tpu: .init(ipv4CIDRBlock: "10.0.0.0/8", types: ["v2-8"], softwareVersions: ["1.14"])),
        ]
        document.energy.schedules = [.init(name: "default"), .init(name: "green")]
        document.registry = ServiceSection(url: "https://registry.example.org")
        return document
    }

    static func state() throws -> Neighbours.State {
        var state = Neighbours.State()
        state.clusters = [try document()]
        func grant(_ user: String, _ scheme: ResourceScheme, _ path: [String], _ action: Action) {
            state.grants[user, default: []].append(Permission(ResourceURI(scheme, path), action))
        }
        for user in ["alice", "bob", "reader", "root", "poller", "homeless", "alice/service-accounts/ci"] {
            grant(user, .user, user.split(separator: "/").map(String.init), .read)
        }
        for scheme in ResourceScheme.projectResources {
            grant("alice", scheme, [cluster, "acme", "proj"], .write)
            grant("alice/service-accounts/ci", scheme, [cluster, "acme", "proj"], .write)
            grant("bob", scheme, [cluster, "beta", "other"], .write)
            grant("reader", scheme, [cluster, "acme", "proj"], .read)
            grant("root", scheme, [], .manage)
        }
        grant("poller", .job, [cluster], .manage)
        for (user, orgs) in [("alice", ["acme", "second-org"]), ("bob", ["beta"]), ("root", ["acme", "beta"]), ("reader", ["acme"])] {
            state.users[user] = AdminUser(
                name: user, email: "\(user)@example.org",
                orgs: try orgs.map { OrgUser(userName: user, orgName: try OrgName($0), role: .user, balance: Balance()) },
                clusters: try orgs.map {
                    ClusterUser(userName: user, clusterName: try ClusterName(cluster), role: .user, orgName: try OrgName($0))
                })
        }
        for org in ["acme", "beta", "second-org"] {
            state.orgs[org] = Org(name: try OrgName(org))
            state.orgClusters["\(cluster)/\(org)"] = OrgCluster(orgName: try OrgName(org))
        }
        return state
    }

    /// Runs jobs-api beside its neighbours. A caller's token is its name.
    static func run(
        _ neighbours: Neighbours? = nil, settings: [String: String] = [:], log: TestLog = TestLog(),
        _ body: (TestService, Neighbours) async throws -> Void
    ) async throws {
        let neighbours = try neighbours ?? Neighbours(state())
        try await withService(NeighbourService.self, settings: ["neighbours.id": neighbours.id]) { other in
            let own = [
                "auth.url": other.url, "config.url": other.url, "admin.url": other.url + "/apis/admin/v1",
                "public.url": "http://platform.example", "service.token": "jobs-api", "jobs.policy.interval": "3600",
                "jobs.cluster.interval": "0.2",
            ].merging(settings) { _, given in given }
            try await withService(
                JobsService.self, settings: own,
                authenticator: TestAuthenticator.factory(
                    "alice", "bob", "reader", "root", "poller", "homeless", "alice/service-accounts/ci", "deleted"), log: log
            ) { service in
                try await body(service, neighbours)
            }
        }
    }

    /// A draft as the creator makes it.
    static func draft(
        name: String? = nil, owner: String = "alice", org: String = "acme", project: String = "proj", tags: [String] = [],
        spec: JobSpec = spec()
    ) -> JobRecord {
        JobRecord(
            JobRequest(name: name, tags: tags, maxRunTimeMinutes: nil, spec: spec),
            scope: JobScope(cluster: cluster, org: org, project: project), owner: owner)
    }

    static func spec(
        passConfig: Bool = false, restartPolicy: JobRestartPolicy = .never, schedulerEnabled: Bool = false
    ) -> JobSpec {
        JobSpec(
            container: JobContainer(image: "busybox", resources: JobResources(cpu: 0.1, memory: 32 << 20)),
            schedulerEnabled: schedulerEnabled, passConfig: passConfig, restartPolicy: restartPolicy)
    }

    /// A store on a database of its own.
    static func withStore(_ body: (JobStore) async throws -> Void) async throws {
        try await TestDatabase.with(migrations: Migrations.all) { database in
            let logger = Logger(label: "test")
            let pool = PostgresPool(try PostgresConfiguration(url: database.url), logger: logger)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await pool.run() }
                try await body(JobStore(pool: pool, logger: logger))
                group.cancelAll()
                try? await group.waitForAll()
            }
        }
    }
}

/// JSON bodies of tests.
typealias Body = [String: JSON]

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByFloatLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSON)...) { self = .object(Dictionary(elements) { _, last in last }) }
    public init(nilLiteral: ()) { self = .null }
}
