import AsyncHTTPClient
import PlatformModel
import ServiceKit

/// The client of config-api. With a control-plane service's token documents carry `credentials`.
public struct ConfigClient: Sendable {
    var rest: RestClient

    /// `baseURL` is the origin of config-api, without a path.
    public init(http: HTTPClient, baseURL: String, token: Secret? = nil) {
        rest = RestClient(service: "config-api", http: http, baseURL: baseURL + "/api/v1", token: token)
    }

    /// The config-api at `ORRERY_CONFIG_URL`, with the token `ORRERY_SERVICE_TOKEN` if there is one.
    public init(_ context: ServiceContext) throws {
        self.init(
            http: context.http, baseURL: try context.settings.url("config.url"), token: try context.settings.optionalSecret("service.token")
        )
    }

    /// The clients' bootstrap document, for the bearer of `token` or anonymous.
    public func bootstrap(token: String?) async throws -> BootstrapDocument {
        try await rest.send(.init(method: .GET, path: "/config", token: token, repeatable: true), as: BootstrapDocument.self)
    }

    /// All clusters that the token may see.
    public func clusters() async throws -> [ClusterDocument] {
        try await rest.send(.init(method: .GET, path: "/clusters", repeatable: true), as: [ClusterDocument].self)
    }

    /// nil when unknown, or invisible for the token.
    public func cluster(_ name: ClusterName) async throws -> ClusterDocument? {
        do {
            return try await rest.send(.init(method: .GET, path: "/clusters/\(name)", repeatable: true), as: ClusterDocument.self)
        } catch ClientError.status(_, 404, _) {
            return nil
        }
    }

    /// Creates a blank cluster; false if it was there before.
    @discardableResult
    public func createCluster(_ name: ClusterName) async throws -> Bool {
        struct Body: Encodable, Sendable { let name: ClusterName }
        do {
            _ = try await rest.send(.init(method: .POST, path: "/clusters", body: Body(name: name), repeatable: true))
            return true
        } catch ClientError.status(_, 400, let message) where message.contains("already exists") {
            return false
        }
    }

    /// Removes a cluster's document and ends its tokens; false if there was none.
    @discardableResult
    public func deleteCluster(_ name: ClusterName) async throws -> Bool {
        try await rest.send(.init(method: .DELETE, path: "/clusters/\(name)", repeatable: true, accepted: [404])).status != 404
    }

    /// Changes parts of a cluster's document; absent keys stay as they are. The whole document as it is then.
    @discardableResult
    public func patchCluster(_ name: ClusterName, _ patch: JSON) async throws -> ClusterDocument {
        try await rest.send(.init(method: .PATCH, path: "/clusters/\(name)", body: patch, repeatable: true), as: ClusterDocument.self)
    }

    /// The list of clusters now and after every change, told by config-api at once. Ends never by itself; while config-api is away it waits
    /// and asks again at the given interval, as it does where config-api does not tell.
    public func clusterChanges(every interval: Duration = .seconds(2)) -> ClusterChanges {
        ClusterChanges(rest: rest, interval: interval)
    }
}
