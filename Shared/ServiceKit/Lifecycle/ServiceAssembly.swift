import AsyncHTTPClient
import Hummingbird
import Logging
import Metrics
import NIOCore
import ServiceLifecycle
import WebSocket

/// A service put together and ready to run: its routes, its server and everything that lives beside it.
///
/// ``ServiceRunner`` runs one for the life of a process, the test support one for the life of a test.
public final class ServiceAssembly: Sendable {
    /// What the service was built from.
    public let context: ServiceContext
    /// Every route, the built-in ones included.
    public let routes: [RouteDescription]

    private let server: ServerSettings
    private let certificate: ServerCertificate?
    private let readiness: Readiness
    private let responder: PlatformResponder
    private let background: [any Service]
    private let requests: AsyncStream<Void>
    private let request: AsyncStream<Void>.Continuation

    /// Builds the service; dependencies that are away are waited for.
    /// - Throws: ``SettingError`` and whatever the service's initialiser throws.
    public convenience init<S: PlatformService>(
        _ type: S.Type, settings: Settings, logger: Logger, metrics: PrometheusMetrics = PrometheusMetrics(),
        authenticator: AuthenticatorFactory? = nil
    ) async throws {
        let server = try ServerSettings(settings, logger: logger)
        let context = ServiceContext(
            name: S.name, settings: settings, logger: logger, http: .shortCalls(), streaming: .streams(), metrics: metrics)
        do {
            let service = try await S(context)
            let factory = try await authenticator?(context)
            try self.init(service, context: context, server: server, authenticator: service.authenticator ?? factory)
        } catch {
            await context.parts.end()
            try? await context.http.shutdown()
            try? await context.streaming.shutdown()
            throw error
        }
    }

    private init<S: PlatformService>(
        _ service: S, context: ServiceContext, server: ServerSettings, authenticator: (any Authenticator)?
    ) throws {
        let router = PlatformRouter()
        service.register(on: router)
        readiness = Readiness()
        BuiltInRoutes(name: S.name, readiness: readiness, parts: context.parts).register(on: router)
        if authenticator == nil, let route = router.routes.first(where: { $0.access != .anyone }) {
            throw SettingError("\(S.name) has no authenticator, and \(route) needs one.")
        }
        self.context = context
        self.server = server
        certificate = service.certificate ?? server.certificate
        routes = router.routes
        background = service.background
        responder = PlatformResponder(
            service: S.name, version: "\(S.versionName)/\(BuildVersion.current)", tree: router.tree,
            crossOrigin: router.crossOrigin, authenticator: authenticator, renderer: S.errorRenderer,
            record: RequestRecord(metrics: RequestMetrics(context.metrics), quiet: BuiltInRoutes.quiet(S.name)))
        (requests, request) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Runs until ``shutDown()`` or until a part fails.
    /// - Parameter started: called with the port once the service accepts connections.
    public func run(started: @escaping @Sendable (Int) async -> Void = { _ in }) async throws {
        let group = ServiceGroup(configuration: configuration(started: started))
        let stopped = await withTaskGroup(of: Result<Void, any Error>?.self) { tasks in
            tasks.addTask {
                do { return .success(try await group.run()) } catch { return .failure(error) }
            }
            tasks.addTask { [requests, readiness, logger = context.logger, delay = server.shutdownDelay] in
                for await _ in requests {
                    readiness.set(false)
                    logger.notice("Stopping", metadata: ["delay": "\(delay)"])
                    try? await Task.sleep(for: delay)
                    await group.triggerGracefulShutdown()
                    return nil
                }
                return nil
            }
            var result: Result<Void, any Error>?
            while result == nil, let next = await tasks.next() { result = next }
            tasks.cancelAll()
            return result
        }
        readiness.set(false)
        try? await context.http.shutdown()
        try? await context.streaming.shutdown()
        // A group that had to be cancelled at the end of its patience has still been stopped as asked.
        if case .failure(let error) = stopped, !(error is CancellationError) { throw error }
    }

    /// Begins the shutdown: unready at once, serving on for `ORRERY_SHUTDOWN_DELAY`, then no new connections, streams ended,
    /// `ORRERY_SHUTDOWN_LIMIT` at most for what runs, then cancelled.
    public func shutDown() { request.yield() }

    private func configuration(started: @escaping @Sendable (Int) async -> Void) -> ServiceGroupConfiguration {
        let application = Application(
            responder: responder, server: .platform(idleTimeout: server.idleTimeout, certificate: certificate),
            configuration: ApplicationConfiguration(address: .hostname(server.host, port: server.port)),
            onServerRunning: { [readiness, port = server.port] channel in
                readiness.set(true)
                await started(channel.localAddress?.port ?? port)
            }, logger: context.logger)
        // Stopped from the last to the first: the server, the background services, the metrics, the stores.
        var services = context.parts.services.map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) }
        if server.metricsPort > 0 {
            let exporter = MetricsExporter(metrics: context.metrics, host: server.host, port: server.metricsPort, logger: context.logger)
            services.append(.init(service: exporter))
        }
        // One that has done its work may end; one that fails takes the process down in order, to be started anew.
        services += background.map {
            .init(service: $0, successTerminationBehavior: .ignore, failureTerminationBehavior: .gracefullyShutdownGroup)
        }
        services.append(.init(service: application, successTerminationBehavior: .gracefullyShutdownGroup))
        var configuration = ServiceGroupConfiguration(services: services, logger: context.logger)
        configuration.maximumGracefulShutdownDuration = server.shutdownLimit
        return configuration
    }
}
