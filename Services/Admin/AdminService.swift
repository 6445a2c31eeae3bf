import Foundation
import HTTPTypes
import Hummingbird
import PlatformClients
import PlatformModel
import Postgres
import ServiceKit
import ServiceLifecycle

/// Users, organizations, clusters, projects and who belongs to what.
public struct AdminService: PlatformService {
    public static let name = "admin-api"
    public static var errorRenderer: any ErrorRenderer { AdminErrors() }

    private let directory: Directory
    private let chores: Chores
    private let streams: EventStreams

    public init(_ context: ServiceContext) async throws {
        let pool = try await context.postgres(migrations: adminMigrations)
        _ = try context.settings.secret("service.token")
        let auth = try AuthClient(context)
        let clusters = try context.settings.string("admin.default-clusters", default: "default").split(separator: ",")
        let outbox = GrantOutbox(pool: pool, auth: auth, logger: context.logger)
        let streams = try EventStreams(context, pool: pool, auth: auth)
        self.streams = streams
        directory = Directory(
            pool: pool, auth: auth, outbox: outbox, defaultClusters: try clusters.map { try ClusterName(String($0)) },
            limits: try Self.limits(context.settings), config: try Self.config(context, pool),
            namePatience: try context.settings.duration("admin.name-patience", default: .seconds(5)))
        chores = Chores(
            directory: directory, streams: streams,
            reconciler: GrantReconciler(pool: pool, auth: auth, outbox: outbox, logger: context.logger),
            reconcileInterval: try context.settings.duration("admin.reconcile-interval", default: .seconds(3_600)),
            auditRetention: try context.settings.int("audit.retention-days", default: 365),
            keyRetention: max(30, try context.settings.int("admin.idempotency-days", default: 35)))
    }

    private static func limits(_ settings: Settings) throws -> CreationLimits {
        let usual = CreationLimits()
        return CreationLimits(
            orgs: try settings.int("admin.orgs-per-hour", default: usual.orgs),
            clusters: try settings.int("admin.clusters-per-hour", default: usual.clusters),
            users: try settings.int("admin.users-per-hour", default: usual.users))
    }

    private static func config(_ context: ServiceContext, _ pool: PostgresPool) throws -> ConfigLink? {
        guard context.settings.optional("config.url") != nil else { return nil }
        return ConfigLink(pool: pool, config: try ConfigClient(context), logger: context.logger)
    }

    public func register(on router: PlatformRouter) {
        AuthRoutes(auth: directory.auth).register(on: router)
        UserRoutes(directory: directory).register(on: router)
        ClusterRoutes(directory: directory).register(on: router)
        OrgClusterRoutes(directory: directory).register(on: router)
        ClusterMemberRoutes(directory: directory).register(on: router)
        OrgRoutes(directory: directory).register(on: router)
        ProjectRoutes(directory: directory).register(on: router)
        AuditRoutes(directory: directory).register(on: router)
        EventRoutes(streams: streams).register(on: router)
    }

    public var background: [any Service] {
        [GrantSweeper(outbox: directory.outbox, logger: directory.outbox.logger), chores, streams.feed]
    }
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
