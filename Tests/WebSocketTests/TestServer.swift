import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle

@testable import WebSocket

/// Runs `routes` behind the platform's server channel on a free port of this machine.
/// - Parameter body: gets the port and what starts the graceful shutdown.
@discardableResult
func withServer<Value: Sendable>(
    _ configuration: ServerChannelConfiguration = .init(), tls: TLSConfiguration? = nil, routes: (Router<BasicRequestContext>) -> Void,
    _ body: @escaping @Sendable (Int, _ shutDown: @escaping @Sendable () async -> Void) async throws -> Value
) async throws -> Value {
    let router = Router()
    routes(router)
    let (ports, port) = AsyncStream.makeStream(of: Int.self)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let server: HTTPServerBuilder =
        if let tls {
            HTTPServerBuilder { TLSServerChannel(base: ServerChannel(responder: $0, configuration: configuration), tls: tls) }
        } else {
            .orrery(configuration)
        }
    let application = Application(
        router: router, server: server, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { channel in port.yield(channel.localAddress?.port ?? 0) }, logger: logger)
    let group = ServiceGroup(
        configuration: .init(services: [.init(service: application)], gracefulShutdownSignals: [], logger: logger))
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        var iterator = ports.makeAsyncIterator()
        guard let number = await iterator.next() else { throw CancellationError() }
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(number) { await group.triggerGracefulShutdown() })
        } catch {
            result = .failure(error)
        }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
        return try result.get()
    }
}

/// The server channel behind TLS, for tests of the client; in production TLS ends at the gateway.
private struct TLSServerChannel: ServerChildChannel {
    let base: ServerChannel
    let tls: TLSConfiguration

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<ServerChannel.Value> {
        do {
            let handler = NIOSSLServerHandler(context: try NIOSSLContext(configuration: tls))
            try channel.pipeline.syncOperations.addHandler(handler)
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
        return base.setup(channel: channel, logger: logger)
    }

    func handle(value: ServerChannel.Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}

/// Sends back what it gets.
@Sendable func echo(_ request: Request, _ context: BasicRequestContext) throws -> Response {
    guard let upgrade = WebSocketUpgrade(request: request) else { throw HTTPError(.badRequest, message: "no handshake") }
    return upgrade.accept(subprotocol: upgrade.choose(["echo.v2", "echo.v1"])) { session in
        for try await message in session.inbound { try await session.send(message) }
    }
}

/// Tells one task of a test that something has come to pass.
struct Signal: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func send() {
        continuation.yield()
        continuation.finish()
    }

    func wait() async {
        for await _ in stream { return }
    }
}
