import NIOCore
import NIOPosix
import Synchronization

/// A TCP relay in front of a store, so that a test can take the store away from one service and give it back.
public final class TestProxy: Sendable {
    private struct State {
        var listener: (any Channel)?
        var open: [ObjectIdentifier: any Channel] = [:]
    }

    /// The port on 127.0.0.1, the same after each ``restore()``.
    public let port: Int
    private let target: (host: String, port: Int)
    private let state = Mutex(State())

    /// Relays to a server for the time of `body`.
    public static func with<T>(host: String, port: Int, _ body: (TestProxy) async throws -> T) async throws -> T {
        let proxy = TestProxy(port: try freePort(), target: (host, port))
        try await proxy.restore()
        do {
            let value = try await body(proxy)
            try await proxy.cut()
            return value
        } catch {
            try? await proxy.cut()
            throw error
        }
    }

    private init(port: Int, target: (host: String, port: Int)) {
        self.port = port
        self.target = target
    }

    /// Accepts connections again.
    public func restore() async throws {
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { [self] channel in relay(channel) }
            .bind(host: "127.0.0.1", port: port).get()
        state.withLock { $0.listener = listener }
    }

    /// Refuses new connections and breaks the open ones.
    public func cut() async throws {
        let (listener, open) = state.withLock { state in
            defer { state = State() }
            return (state.listener, Array(state.open.values))
        }
        try await listener?.close()
        for channel in open { channel.close(promise: nil) }
    }

    private func relay(_ client: any Channel) -> EventLoopFuture<Void> {
        ClientBootstrap(group: client.eventLoop)
            .channelInitializer { server in server.pipeline.addHandler(Forward(to: client)) }
            .connect(host: target.host, port: target.port)
            .flatMap { server in
                self.state.withLock { $0.open[ObjectIdentifier(client)] = client }
                client.closeFuture.whenComplete { _ in
                    _ = self.state.withLock { $0.open.removeValue(forKey: ObjectIdentifier(client)) }
                    server.close(promise: nil)
                }
                server.closeFuture.whenComplete { _ in client.close(promise: nil) }
                return client.pipeline.addHandler(Forward(to: server)).flatMap { client.setOption(.autoRead, value: true) }
            }
    }

    private final class Forward: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        private let peer: any Channel

        init(to peer: any Channel) { self.peer = peer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            peer.writeAndFlush(unwrapInboundIn(data), promise: nil)
        }
    }
}
