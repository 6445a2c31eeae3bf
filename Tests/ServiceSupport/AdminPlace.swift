import AdminService
import Identity
import PlatformClients
import PlatformModel
import ServiceKit
import TestSupport

/// A genuine admin-api beside an auth-api, with the cluster `default`, the organization `acme` and some projects of it: what services follow.
public struct AdminPlace: Sendable {
    public let service: TestService
    /// As the platform's administrator.
    public let client: AdminClient
    public let cluster: ClusterName
    public let org: OrgName
    private let token: String

    /// - Parameters:
    ///   - signer: signs as `auth` does.
    ///   - port: where it listens, for a service that was told of it before it is there.
    ///   - projects: of `acme`.
    public static func with<T: Sendable>(
        auth: TestService, signer: TokenSigner, port: Int? = nil, projects: [String], _ body: (AdminPlace) async throws -> T
    ) async throws -> T {
        var settings = [
            "auth.url": auth.url, "events.redelivery": "0.5", "admin.name-patience": "30",
            "service.token": try await signer.sign(TokenClaims(name: PrincipalName("admin-api"), kind: .controlPlane)),
        ]
        if let port { settings["http.port"] = "\(port)" }
        return try await withService(AdminService.self, settings: settings, authenticator: Identity.authenticator) {
            (service) async throws in
            let token = try await signer.sign(TokenClaims(name: PrincipalName("admin")))
            let client = AdminClient(http: service.http, baseURL: service.url + "/apis/admin/v1", token: Secret(token))
            let place = AdminPlace(
                service: service, client: client, cluster: try ClusterName("default"), org: try OrgName("acme"), token: token)
            try await Self.patiently { try await client.createCluster(AdminCluster(name: place.cluster)) }
            try await Self.patiently { _ = try await client.createOrg(Org(name: place.org), joiningDefaultClusters: true) }
            for name in projects { try await place.makeProject(name) }
            return try await body(place)
        }
    }

    public var url: String { service.url + "/apis/admin/v1" }

    /// A project of `acme`.
    public func makeProject(_ name: String) async throws {
        let project = try ProjectName(name)
        try await Self.patiently { try await client.createProject(.init(name: project), cluster, org) }
    }

    /// What is stored while auth-api is too busy to take it is asked for again, as the answer says: how fast it is is not tested here.
    private static func patiently(_ ask: () async throws -> Void) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            do {
                return try await ask()
            } catch ClientError.status(_, 503, _) where .now < deadline {
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    /// A project without an organization.
    /// - Returns: the status.
    public func makeLonelyProject(_ name: String) async throws -> Int {
        try await service.post("/apis/admin/v1/clusters/default/projects", token: token, ["name": name]).status
    }

    /// - Parameter path: below `clusters/`.
    /// - Returns: the status.
    public func remove(_ path: String) async throws -> Int {
        try await service.delete("/apis/admin/v1/clusters/" + path, token: token).status
    }

    /// A project of `acme`.
    /// - Returns: the status.
    public func removeProject(_ name: String) async throws -> Int { try await remove("default/orgs/acme/projects/" + name) }
}
