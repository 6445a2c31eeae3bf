import NIOCore
import NIOPosix

/// A TCP connection that a test writes to byte by byte, to do what a decent client does not.
final class RawConnection {
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var received = ByteBuffer()
    let channel: any Channel

    private init(
        _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>, _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>, _ channel: any Channel
    ) {
        self.inbound = inbound.makeAsyncIterator()
        self.outbound = outbound
        self.channel = channel
    }

    static func open<Value>(_ port: Int, _ body: (RawConnection) async throws -> Value) async throws -> Value {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await body(RawConnection(inbound, outbound, channel.channel))
        }
    }

    func write(_ text: String) async throws { try await outbound.write(ByteBuffer(string: text)) }
    func write(_ bytes: [UInt8]) async throws { try await outbound.write(ByteBuffer(bytes: bytes)) }

    /// The next `count` bytes; nil if the connection ended before.
    func read(_ count: Int) async throws -> [UInt8]? {
        while received.readableBytes < count {
            guard var more = try await inbound.next() else { return nil }
            received.writeBuffer(&more)
        }
        return received.readBytes(length: count)
    }

    /// A response's head, with the empty line that ends it.
    func readHead() async throws -> String {
        var head = ""
        while !head.hasSuffix("\r\n\r\n") {
            guard let byte = try await read(1) else { return head }
            head.unicodeScalars.append(Unicode.Scalar(byte[0]))
        }
        return head
    }

    /// Whether the server ends the connection, with nothing more said.
    func isAtEnd() async throws -> Bool { try await read(1) == nil }

    func upgrade(_ path: String = "/echo", headers: String = "") async throws -> String {
        try await write(
            "GET \(path) HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\(headers)\r\n")
        return try await readHead()
    }

    /// A frame, masked with zeros (which leave the payload as it is) unless told otherwise.
    func writeFrame(_ first: UInt8, _ payload: [UInt8], masked: Bool = true) async throws {
        var frame = [first]
        let mask: UInt8 = masked ? 0x80 : 0
        switch payload.count {
        case ..<126: frame.append(mask | UInt8(payload.count))
        case ..<65536: frame += [mask | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        default: frame += [mask | 127] + (0..<8).reversed().map { UInt8(truncatingIfNeeded: payload.count >> ($0 * 8)) }
        }
        if masked { frame += [0, 0, 0, 0] }
        try await write(frame + payload)
    }

    /// The next frame of the server: its first byte and its payload.
    func readFrame() async throws -> (first: UInt8, payload: [UInt8])? {
        guard let head = try await read(2) else { return nil }
        var length = Int(head[1])
        if length >= 126 {
            guard let bytes = try await read(length == 126 ? 2 : 8) else { return nil }
            length = bytes.reduce(0) { $0 << 8 | Int($1) }
        }
        guard let payload = try await read(length) else { return nil }
        return (head[0], payload)
    }

    /// The code of the close frame that comes next; anything before it is skipped.
    func readCloseCode() async throws -> Int? {
        while let frame = try await readFrame() {
            guard frame.first == 0x88 else { continue }
            return frame.payload.count >= 2 ? Int(frame.payload[0]) << 8 | Int(frame.payload[1]) : 0
        }
        return nil
    }
}
