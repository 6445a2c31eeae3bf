import Hummingbird
import PlatformClients
import PlatformModel
import ServiceKit

/// Every route of this API begins so.
let apiPrefix = "/apis/admin/v1"

/// What the paths of this API hold, parsed.
extension PlatformContext {
    func cluster() throws -> ClusterName { try ClusterName(parameter("cluster")) }
    func org() throws -> OrgName { try OrgName(parameter("org")) }
    func project() throws -> ProjectName { try ProjectName(parameter("project")) }
    func user() throws -> UserName { try UserName(parameter("user")) }

    /// A principal with `/` or `:` between its segments.
    func principal() throws -> PrincipalName { try PrincipalName(pathForm: parameter("user")) }

    /// Anything the client sends but true, 1 and yes is false.
    func flag(_ name: String) -> Bool { ["true", "1", "yes"].contains(query.first(name)?.lowercased() ?? "") }

    var withUserInfo: Bool { flag("with_user_info") }

    /// Scoped by the template and what its parameters mean: a path can be written in several ways.
    func idempotencyKey(_ request: Request, _ body: some Encodable) throws -> IdempotencyKey? {
        let places = ["cluster", "org", "user"].compactMap { name in
            (try? parameter(name)).map { "\(name)=" + $0.map { $0 == ":" ? "/" : String($0) }.joined() }
        }
        return try IdempotencyKey(
            query.first("idempotency_key"), caller: requireCaller(),
            route: ([request.method.rawValue, route] + places).joined(separator: " "), body: body)
    }
}
