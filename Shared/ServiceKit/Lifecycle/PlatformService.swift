import ServiceLifecycle
import WebSocket

/// One API of the platform: settings and stores in its initialiser, routes in `register`, loops in `background`.
public protocol PlatformService: Sendable {
    /// The executable's name (`auth-api`): in logs, metrics and `/api/v1/ping/<name>`.
    static var name: String { get }
    /// The name in `X-Service-Version: <name>/<version>`, where a contract expects another.
    static var versionName: String { get }
    /// The form of this API's errors; ``JSONErrors`` unless the contract wants another.
    static var errorRenderer: any ErrorRenderer { get }

    /// Builds everything the service needs; fails with one clear sentence. Dependencies that are briefly away are waited for.
    init(_ context: ServiceContext) async throws

    /// Adds the routes, and nothing else.
    func register(on router: PlatformRouter)

    /// Pollers and queues; run in the lifecycle group, stopped after the server and before the stores.
    var background: [any Service] { get }

    /// The service's own authenticator, in place of the one that the main passes (auth-api knows its tokens itself).
    var authenticator: (any Authenticator)? { get }

    /// The service's own certificate, in place of the one that the settings name (the embedded cluster makes its own).
    var certificate: ServerCertificate? { get }
}

extension PlatformService {
    public static var versionName: String { name }
    public static var errorRenderer: any ErrorRenderer { JSONErrors() }
    public var background: [any Service] { [] }
    public var authenticator: (any Authenticator)? { nil }
    public var certificate: ServerCertificate? { nil }
}
