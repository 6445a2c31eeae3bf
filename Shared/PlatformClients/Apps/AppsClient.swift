import AsyncHTTPClient
import PlatformModel
import ServiceKit

/// The client of apps-api, as far as other services ask it.
public struct AppsClient: Sendable {
    var rest: RestClient

    /// `baseURL` is the origin of apps-api, without a path.
    public init(http: HTTPClient, baseURL: String, token: Secret? = nil) {
        rest = RestClient(service: "apps-api", http: http, baseURL: baseURL + "/apis/apps/v2", token: token)
    }

    /// The apps-api at `ORRERY_APPS_URL`, with the token `ORRERY_SERVICE_TOKEN` if there is one; nil when the platform has no apps.
    public init?(_ context: ServiceContext) throws {
        guard context.settings.optional("apps.url") != nil else { return nil }
        self.init(
            http: context.http, baseURL: try context.settings.url("apps.url"), token: try context.settings.optionalSecret("service.token"))
    }

    /// The app of that id; nil when there is none.
    public func instance(id: String) async throws -> AppInstance? {
        do {
            return try await rest.send(
                .init(method: .GET, path: "/instances/" + PercentCoding.encode(id), repeatable: true), as: AppInstance.self)
        } catch ClientError.status(_, 404, _) {
            return nil
        }
    }

    /// The app of that internal name; nil unless there is exactly one.
    public func instance(name: String) async throws -> AppInstance? {
        struct Page: Decodable { let items: [AppInstance] }
        let page = try await rest.send(.init(method: .GET, path: "/instances", query: [("name", name)], repeatable: true), as: Page.self)
        return page.items.count == 1 ? page.items.first : nil
    }
}

/// An installed app, as far as other services need to know it.
public struct AppInstance: Codable, Hashable, Sendable {
    public var id: String
    public var name: String
    public var clusterName: String
    public var orgName: String
    public var projectName: String

    public init(id: String, name: String, clusterName: String, orgName: String, projectName: String) {
        self.id = id
        self.name = name
        self.clusterName = clusterName
        self.orgName = orgName
        self.projectName = projectName
    }

    enum CodingKeys: String, CodingKey {
        case id, name
        case clusterName = "cluster_name"
        case orgName = "org_name"
        case projectName = "project_name"
    }
}
