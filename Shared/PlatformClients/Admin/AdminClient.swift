import AsyncHTTPClient
import NIOHTTP1
import PlatformModel
import ServiceKit

/// The client of admin-api. Getters return nil for 404; creators return false for what exists already, so that a first start may be repeated.
public struct AdminClient: Sendable {
    var rest: RestClient

    /// `baseURL` ends in `/apis/admin/v1`.
    public init(http: HTTPClient, baseURL: String, token: Secret? = nil) {
        rest = RestClient(service: "admin-api", http: http, baseURL: baseURL, token: token)
    }

    /// The admin-api at `ORRERY_ADMIN_URL`, with the token `ORRERY_SERVICE_TOKEN` if there is one.
    public init(_ context: ServiceContext) throws {
        self.init(
            http: context.http, baseURL: try context.settings.url("admin.url"), token: try context.settings.optionalSecret("service.token"))
    }

    /// A user with all memberships: organizations with roles and balances, clusters with roles, quotas and balances, projects with roles.
    /// For a service account pass the base of its name.
    public func user(_ name: PrincipalName) async throws -> AdminUser? {
        try await get(
            "/users/" + PercentCoding.encode(name.pathForm), query: [("include", "orgs"), ("include", "clusters"), ("include", "projects")])
    }

    public func clusters() async throws -> [AdminCluster] { try await get("/clusters") ?? [] }

    public func cluster(_ cluster: ClusterName) async throws -> AdminCluster? { try await get("/clusters/\(cluster)") }

    /// An organization in a cluster: its quota, balance and maintenance flag.
    public func orgCluster(_ cluster: ClusterName, _ org: OrgName) async throws -> OrgCluster? {
        try await get("/clusters/\(cluster)/orgs/\(org)")
    }

    /// The membership of a user in a cluster on behalf of an organization: quota and balance.
    public func clusterUser(_ cluster: ClusterName, _ org: OrgName, _ user: PrincipalName) async throws -> ClusterUser? {
        try await get("/clusters/\(cluster)/orgs/\(org)/users/\(PercentCoding.encode(user.text))")
    }

    public func org(_ org: OrgName) async throws -> Org? { try await get("/orgs/\(org)") }

    public func orgUser(_ org: OrgName, _ user: PrincipalName) async throws -> OrgUser? {
        try await get("/orgs/\(org)/users/\(PercentCoding.encode(user.text))")
    }

    public func project(_ cluster: ClusterName, _ org: OrgName, _ project: ProjectName) async throws -> Project? {
        try await get("/clusters/\(cluster)/orgs/\(org)/projects/\(project)")
    }

    /// The projects of all organizations in the cluster that the caller may see.
    public func projects(_ cluster: ClusterName) async throws -> [Project] { try await get("/clusters/\(cluster)/projects") ?? [] }

    private func get<T: Decodable>(_ path: String, query: [(String, String)] = []) async throws -> T? {
        do {
            return try await rest.send(.init(method: .GET, path: path, query: query, repeatable: true), as: T.self)
        } catch ClientError.status(_, 404, _) {
            return nil
        }
    }
}

// MARK: Creating

extension AdminClient {
    /// Creates a user, without joining the default clusters.
    @discardableResult
    public func createUser(_ user: AdminUser) async throws -> Bool {
        try await create("/users", user, query: [("skip_auto_add_to_clusters", "true")])
    }

    @discardableResult
    public func createCluster(_ cluster: AdminCluster) async throws -> Bool { try await create("/clusters", cluster) }

    @discardableResult
    public func createOrg(_ org: Org, joiningDefaultClusters: Bool = false) async throws -> Bool {
        try await create("/orgs", org, query: [("skip_auto_add_to_clusters", joiningDefaultClusters ? "false" : "true")])
    }

    @discardableResult
    public func addOrg(_ org: OrgCluster, to cluster: ClusterName) async throws -> Bool {
        try await create("/clusters/\(cluster)/orgs", org)
    }

    @discardableResult
    public func addClusterUser(_ user: ClusterUser, to cluster: ClusterName) async throws -> Bool {
        try await create("/clusters/\(cluster)/users", user)
    }

    @discardableResult
    public func addOrgUser(_ user: OrgUser, to org: OrgName) async throws -> Bool { try await create("/orgs/\(org)/users", user) }

    @discardableResult
    public func createProject(_ project: CreateProjectRequest, _ cluster: ClusterName, _ org: OrgName) async throws -> Bool {
        try await create("/clusters/\(cluster)/orgs/\(org)/projects", project)
    }

    @discardableResult
    public func addProjectUser(
        _ user: ProjectUser, _ cluster: ClusterName, _ org: OrgName, _ project: ProjectName
    ) async throws -> Bool {
        try await create("/clusters/\(cluster)/orgs/\(org)/projects/\(project)/users", user)
    }

    /// A repeat after an answer that got lost finds 409, which says "exists" as well.
    private func create(_ path: String, _ body: some Encodable & Sendable, query: [(String, String)] = []) async throws -> Bool {
        let answer = try await rest.send(
            .init(method: .POST, path: path, query: query, body: body, repeatable: true, accepted: [409]))
        return answer.status != 409
    }
}
