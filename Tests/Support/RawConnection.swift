import NIOCore
import NIOPosix

/// A bare TCP connection, for what no HTTP client would send.
public struct RawConnection {
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private var received = ""

    /// Connects to 127.0.0.1 for the time of `body`.
    public static func with<T>(port: Int, _ body: (inout RawConnection) async throws -> T) async throws -> T {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            var connection = RawConnection(outbound: outbound, inbound: inbound.makeAsyncIterator())
            return try await body(&connection)
        }
    }

    /// Sends a text as it is.
    public func send(_ text: String) async throws { try await outbound.write(ByteBuffer(string: text)) }

    /// Sends bytes that are no text.
    public func send(_ bytes: [UInt8]) async throws { try await outbound.write(ByteBuffer(bytes: bytes)) }

    /// Everything that was received once it contains `text`; nil when the other side closed before.
    public mutating func read(until text: String) async throws -> String? {
        while !received.contains(text) {
            guard let buffer = try await inbound.next() else { return nil }
            received += String(buffer: buffer)
        }
        defer { received = "" }
        return received
    }

    /// Everything until the other side closes.
    public mutating func readToEnd() async throws -> String {
        while let buffer = try await inbound.next() { received += String(buffer: buffer) }
        return received
    }
}
