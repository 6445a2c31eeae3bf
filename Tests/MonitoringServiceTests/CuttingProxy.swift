import NIOCore
import NIOPosix
import Synchronization

/// A TCP proxy that breaks its connections when told to, as a restart of the other side does.
final class CuttingProxy: Sendable {
    private typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>
    private let open = Mutex<[any Channel]>([])
    private let target: Int

    private init(target: Int) { self.target = target }

    /// Breaks every connection made since the last time.
    /// - Returns: how many.
    @discardableResult
    func cut() -> Int {
        let channels = open.withLock { open in
            defer { open = [] }
            return open
        }
        for channel in channels { channel.close(promise: nil) }
        return channels.count
    }

    /// Relays to a port of 127.0.0.1 while `body` runs.
    static func run<T: Sendable>(to target: Int, _ body: @Sendable (CuttingProxy, Int) async throws -> T) async throws -> T {
        let proxy = CuttingProxy(target: target)
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: "127.0.0.1", port: 0) { channel in
            channel.eventLoop.makeCompletedFuture { try Connection(wrappingChannelSynchronously: channel) }
        }
        let port = server.channel.localAddress?.port ?? 0
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try? await server.executeThenClose { clients in
                    try await withThrowingDiscardingTaskGroup { group in
                        for try await client in clients { group.addTask { try? await proxy.relay(client) } }
                    }
                }
            }
            defer {
                proxy.cut()
                group.cancelAll()
            }
            return try await body(proxy, port)
        }
    }

    private func relay(_ client: Connection) async throws {
        open.withLock { $0.append(client.channel) }
        try await client.executeThenClose { fromClient, toClient in
            let server = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(host: "127.0.0.1", port: target) {
                channel in channel.eventLoop.makeCompletedFuture { try Connection(wrappingChannelSynchronously: channel) }
            }
            try await server.executeThenClose { fromServer, toServer in
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { do { for try await bytes in fromClient { try await toServer.write(bytes) } } catch {} }
                    group.addTask { do { for try await bytes in fromServer { try await toClient.write(bytes) } } catch {} }
                    await group.next()
                    group.cancelAll()
                }
            }
        }
    }
}
