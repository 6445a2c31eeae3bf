import AuthService
import Foundation
import Identity
import NIOHTTP1
import PlatformClients
import PlatformModel
import ServiceKit
import TestSupport

@testable import IngressAuthService

/// ingress-auth beside a genuine auth-api and its other neighbours. Clusters `default` and `other`; org `acme`, project `vision`; users `alice`
/// (reads the project in `default`), `bob` and `carol` (nothing).
struct Platform: Sendable {
    static let origin = "https://api.org.example.org"
    static let keys = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
    static let jobs = "jobs.default.org.example.org"
    static let apps = "apps.default.org.example.org"

    let auth: TestService
    let neighbours: Neighbours
    let neighbourURL: String
    let ingress: TestService
    let signer: TokenSigner
    let log: TestLog

    private static let turnstile = Turnstile(slots: 4)

    static func run(_ settings: [String: String] = [:], _ body: @escaping @Sendable (Platform) async throws -> Void) async throws {
        try await turnstile.pass { try await start(settings, body) }
    }

    private static func start(_ settings: [String: String], _ body: @escaping @Sendable (Platform) async throws -> Void) async throws {
        let pem = TokenSigner.generatePEM()
        let signer = try await TokenSigner(pem: pem)
        let neighbours = Neighbours { user, life in
            try await signer.sign(TokenClaims(name: PrincipalName(user), issuedAt: Date() + 1, expiresAt: Date() + life))
        }
        neighbours.change { $0.clusters = [cluster("default"), cluster("other")].compactMap { $0 } }
        let log = TestLog()
        try await withService(
            AuthService.self,
            settings: ["auth.signing-keys": pem, "public.url": origin, "oauth.web.client.secret": Neighbours.clientSecret]
        ) { (auth) async throws in
            try await withService(NeighbourService.self, settings: ["neighbours.id": neighbours.id, "postgres.url": "none"]) {
                (other) async throws in
                let own = [
                    "auth.url": auth.url, "config.url": other.url, "jobs.url": other.url, "apps.url": other.url, "public.url": origin,
                    "postgres.url": "none",
                    "service.token": try await signer.sign(TokenClaims(name: PrincipalName("ingress-auth"))),
                    "ingress.auth.keys": keys, "ingress.zone.interval": "0.1", "ingress.cache.time": "0.3",
                    // Many tests at once are slower than a gateway may be kept waiting.
                    "ingress.call.time": "60",
                    "oauth.auth.url": "https://login.example.org/idp/authorize", "oauth.token.url": other.url + "/idp/token",
                    "oauth.logout.url": "https://login.example.org/idp/logout", "oauth.web.client.secret": Neighbours.clientSecret,
                ].merging(settings) { _, given in given }
                try await withService(IngressAuthService.self, settings: own, log: log) { (ingress) async throws in
                    let platform = Platform(
                        auth: auth, neighbours: neighbours, neighbourURL: other.url, ingress: ingress, signer: signer, log: log)
                    try await platform.start()
                    try await body(platform)
                }
            }
        }
    }

    private func start() async throws {
        for user in ["alice", "bob", "carol", "alice/service-accounts/ci"] { try await createUser(user) }
        try await grant("job://default/acme/vision", .read, to: "alice")
        while try await !ingress.get("/ready").body.contains(#""clusters":{"detail":{},"ok":true}"#) {
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    static func cluster(_ name: String, isSecure: Bool = true, port: Int? = nil) -> ClusterDocument? {
        guard let cluster = try? ClusterName(name) else { return nil }
        var document = ClusterDocument(blank: cluster, dnsName: "\(name).org.example.org", createdAt: UTCTime(microseconds: 0))
        document.orchestrator.isHTTPIngressSecure = isSecure
        if let port { document.orchestrator.jobHostnameTemplate += ":\(port)" }
        return document
    }

    // MARK: Principals

    func token(
        _ name: String, kind: TokenKind = .user, cluster: String? = nil, expires: Date? = nil, uri: String? = nil
    ) async throws -> String {
        try await signer.sign(
            TokenClaims(
                name: PrincipalName(name), kind: kind, cluster: cluster, tokenURI: uri.map { try ResourceURI($0) },
                issuedAt: name == "admin" ? Date() : Date() + 2, expiresAt: expires))
    }

    private func client() async throws -> AuthClient {
        AuthClient(http: auth.http, baseURL: auth.url, token: Secret(try await token("admin")))
    }

    func createUser(_ name: String) async throws { try await client().createUser(PrincipalName(name)) }
    func deleteUser(_ name: String) async throws { try await client().deleteUser(PrincipalName(name)) }
    func grant(_ uri: String, _ action: Action, to name: String) async throws {
        try await client().grant([Permission(ResourceURI(uri), action)], to: PrincipalName(name))
    }
    func revoke(_ uri: String, from name: String) async throws { try await client().revoke([ResourceURI(uri)], from: PrincipalName(name)) }

    // MARK: Jobs

    /// Adds a job to what jobs-api knows. `age` in seconds.
    @discardableResult
    func addJob(
        _ name: String? = nil, cluster: String = "default", org: String = "acme", project: String = "vision", status: JobStatus = .running,
        age: Double = 10, scheme: String = "https", port: Int? = nil
    ) throws -> JobResponse {
        let id = JobID.random()
        let place = JobPlace(org: org, project: project)
        let domain = "jobs.\(cluster).org.example.org" + (port.map { ":\($0)" } ?? "")
        let items = [JobStatusItem(status, at: UTCTime(Date() - age))]
        guard let history = JobHistory(items, now: .now) else { throw SettingError("no history") }
        let container = JobContainer(image: "x", resources: JobResources(cpu: 1, memory: 1), http: .init(port: 80, requiresAuth: true))
        let job = JobResponse(
            id: id, owner: "alice", namespace: place.namespace, clusterName: cluster, orgName: org, projectName: project,
            orgProjectHash: place.hash, uri: "job://\(cluster)/\(org)/\(project)/\(id)", name: name, presetName: nil, description: nil,
            tags: [],
            statuses: items, history: history, container: container, schedulerEnabled: false, preemptibleNode: false, passConfig: false,
            privileged: false, materialized: true, beingDropped: false, logsRemoved: false, restartPolicy: .never, priority: .normal,
            totalPriceCredits: .zero, priceCreditsPerHour: .zero, internalHostname: "", internalHostnameNamed: nil,
            httpURL: "\(scheme)://\(id).\(domain)", httpURLNamed: name.map { "\(scheme)://\($0)--\(place.hash).\(domain)" },
            scheduleTimeout: nil, maxRunTimeMinutes: nil, energyScheduleName: nil)
        neighbours.change { $0.jobs.append(job) }
        return job
    }

    // MARK: Questions

    /// Asks as the gateway does about a visitor's request. A header given as empty is left out.
    func ask(_ host: String, _ path: String = "/", method: String = "GET", _ headers: [(String, String)] = []) async throws -> TestAnswer {
        var fields: HTTPHeaders = [
            "X-Forwarded-Host": host, "X-Forwarded-Uri": path, "X-Forwarded-Method": method, "X-Forwarded-Proto": "https",
            "Accept": "*/*",
        ]
        for (name, _) in headers { fields.remove(name: name) }
        for (name, value) in headers where !value.isEmpty { fields.add(name: name, value: value) }
        return try await ingress.call(.GET, "/oauth/authorize", headers: fields)
    }

    func ask(_ host: String, _ headers: [(String, String)]) async throws -> TestAnswer { try await ask(host, "/", headers) }

    func host(_ job: JobResponse) -> String { "\(job.id).jobs.\(job.clusterName).org.example.org" }
    func namedHost(_ job: JobResponse) -> String { "\(job.name ?? "")--\(job.orgProjectHash).jobs.\(job.clusterName).org.example.org" }
}

extension TestAnswer {
    var location: String? { headers.first(name: "Location") }
    var cookies: [String] { headers["Set-Cookie"] }
    /// Whether an answer shows a page rather than JSON.
    var isPage: Bool { headers.first(name: "Content-Type")?.hasPrefix("text/html") == true }
}

/// A visitor's `Cookie` field.
func cookie(_ text: String) -> (String, String) { ("Cookie", text) }
