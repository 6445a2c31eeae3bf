import Hummingbird
import ServiceLifecycle
import WebSocket

/// A second server of a process, with routes, a port and a certificate of its own: for callers that are no clients of the platform, such as a
/// Kubernetes API server that asks a webhook. It runs and ends in the same lifecycle as the rest, if it is among `background`.
public struct SideListener: Service {
    private let responder: PlatformResponder
    private let context: ServiceContext
    private let host: String
    private let port: Int
    private let name: String
    private let certificate: ServerCertificate

    /// - Parameters:
    ///   - name: of what is served, in the log.
    ///   - port: 0 takes one that is free; the log tells which.
    ///   - register: adds the routes. All of them are for anyone: who may call is for the network to say.
    /// - Throws: ``SettingError`` for a port that cannot be.
    public init(
        _ name: String, _ context: ServiceContext, port: Int, certificate: ServerCertificate, register: (PlatformRouter) throws -> Void
    ) throws {
        guard (0...65_535).contains(port) else { throw SettingError("The port of the \(name) is \(port); expected 0 to 65535.") }
        let router = PlatformRouter()
        try register(router)
        if let route = router.routes.first(where: { $0.access != .anyone }) {
            throw SettingError("The \(name) has no authenticator, and \(route) needs one.")
        }
        responder = PlatformResponder(
            service: context.name, version: "\(context.name)/\(BuildVersion.current)", tree: router.tree,
            crossOrigin: nil, authenticator: nil, renderer: JSONErrors(),
            record: RequestRecord(metrics: RequestMetrics(context.metrics), quiet: ["/ping"]))
        self.context = context
        self.name = name
        self.port = port
        self.certificate = certificate
        host = try context.settings.string("http.host", default: "0.0.0.0")
    }

    public func run() async throws {
        let application = Application(
            responder: responder, server: .platform(idleTimeout: .seconds(75), certificate: certificate),
            configuration: ApplicationConfiguration(address: .hostname(host, port: port)),
            onServerRunning: { [context, name, port] channel in
                context.logger.notice("The \(name) listens", metadata: ["port": "\(channel.localAddress?.port ?? port)"])
            }, logger: context.logger)
        try await application.run()
    }
}
