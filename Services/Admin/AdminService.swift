import Foundation
import HTTPTypes
import Hummingbird
import PlatformClients
import PlatformModel
import ServiceKit
import ServiceLifecycle

/// Users, organizations, clusters, projects and who belongs to what.
public struct AdminService: PlatformService {
    public static let name = "admin-api"
    public static var errorRenderer: any ErrorRenderer { AdminErrors() }

    private let directory: Directory

    public init(_ context: ServiceContext) async throws {
        let pool = try await context.postgres(migrations: adminMigrations)
        _ = try context.settings.secret("service.token")
        let auth = try AuthClient(context)
        let clusters = try context.settings.string("admin.default-clusters", default: "default").split(separator: ",")
        directory = Directory(
            pool: pool, auth: auth, outbox: GrantOutbox(pool: pool, auth: auth, logger: context.logger),
            defaultClusters: try clusters.map { try ClusterName(String($0)) })
    }

    public func register(on router: PlatformRouter) {
        AuthRoutes(auth: directory.auth).register(on: router)
        UserRoutes(directory: directory).register(on: router)
        ClusterRoutes(directory: directory).register(on: router)
        OrgClusterRoutes(directory: directory).register(on: router)
        ClusterMemberRoutes(directory: directory).register(on: router)
        OrgRoutes(directory: directory).register(on: router)
        ProjectRoutes(directory: directory).register(on: router)
    }

    public var background: [any Service] { [GrantSweeper(outbox: directory.outbox, logger: directory.outbox.logger)] }
}

/// The usual errors, but for missing permissions, which the client prints as they are: keys and spaces as a Python encoder writes them.
struct AdminErrors: ErrorRenderer {
    func render(_ error: PlatformError) -> Response {
        guard let missing = (error.body as? MissingPermissions)?.missing else { return JSONErrors().render(error) }
        let items = missing.map { #"{"uri": \#(Self.quoted($0.uri.text)), "action": "\#($0.action.rawValue)"}"# }
        let text = #"{"missing": ["# + items.joined(separator: ", ") + "]}"
        return Response(
            status: error.status, headers: [.contentType: PlatformJSON.contentType],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    private static func quoted(_ text: String) -> String {
        (try? PlatformJSON.encoder().encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }
}
