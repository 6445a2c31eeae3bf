import AsyncHTTPClient
import PlatformModel
import ServiceKit

/// The client of jobs-api. Calls are made with the token given, the caller's or the service's own.
public struct JobsClient: Sendable {
    var rest: RestClient

    /// `baseURL` is the origin of jobs-api, without a path.
    public init(http: HTTPClient, baseURL: String, token: Secret? = nil) {
        rest = RestClient(service: "jobs-api", http: http, baseURL: baseURL + "/api/v1", token: token)
    }

    /// The jobs-api at `ORRERY_JOBS_URL`, with the token `ORRERY_SERVICE_TOKEN` if there is one.
    public init(_ context: ServiceContext) throws {
        self.init(
            http: context.http, baseURL: try context.settings.url("jobs.url"), token: try context.settings.optionalSecret("service.token"))
    }

    /// The job of that id or name; nil when there is none.
    /// - Throws: `PlatformError` 401 and 403 as jobs-api answered them to `caller`, 400 for a name it refuses; `ClientError`.
    public func job(_ idOrName: String, as caller: Caller? = nil) async throws -> JobResponse? {
        do {
            return try await rest.send(
                .init(method: .GET, path: "/jobs/" + PercentCoding.encode(idOrName), token: caller?.token, repeatable: true),
                as: JobResponse.self)
        } catch ClientError.status(_, 404, _) {
            return nil
        } catch ClientError.status(_, let code, let message) where caller != nil && [400, 401, 403].contains(code) {
            throw PlatformError(.init(code: code), message)
        }
    }

    /// The jobs that match `filter`, in the order of creation.
    public func jobs(_ filter: [(String, String)] = [], as caller: Caller? = nil) async throws -> [JobResponse] {
        struct List: Decodable { let jobs: [JobResponse] }
        return try await rest.send(
            .init(method: .GET, path: "/jobs", query: filter, token: caller?.token, repeatable: true), as: List.self
        ).jobs
    }
}
