import Kubernetes
import NIOCore
import NIOPosix

/// A connection to podman that stops being HTTP: after its answer it carries the streams of one exec or attach session.
///
/// The answer's head is read here rather than by an HTTP decoder: what follows it belongs to the session, and may come in the same breath.
struct HijackedConnection: Sendable {
    private static let headLimit = 64 << 10

    let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>

    static func open(_ socketPath: String) async throws(EngineError) -> HijackedConnection {
        do {
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(.seconds(5))
                // The end of the output is not the end of the input.
                .channelOption(.allowRemoteHalfClosure, value: true)
                .connect(unixDomainSocketPath: socketPath) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                            wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
                    }
                }
            return HijackedConnection(channel: channel)
        } catch {
            throw EngineError("podman does not answer on \(socketPath): \(error)")
        }
    }

    /// - Parameters:
    ///   - path: below `/v4.0.0/libpod`, with its query.
    ///   - body: attach must have none: podman would take it for input.
    static func request(_ path: String, body: JSONValue? = nil) -> ByteBuffer {
        var request = ByteBuffer(
            string: "POST /v4.0.0/libpod\(path) HTTP/1.1\r\nHost: podman\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n")
        guard let content = body.map(JSONWriter.buffer) else {
            request.writeString("Content-Length: 0\r\n\r\n")
            return request
        }
        request.writeString("Content-Type: application/json\r\nContent-Length: \(content.readableBytes)\r\n\r\n")
        request.writeImmutableBuffer(content)
        return request
    }

    /// Reads podman's answer.
    /// - Returns: what came behind it.
    /// - Throws: ``EngineError`` with podman's words when it refuses.
    static func answer(_ bytes: inout NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator) async throws -> ByteBuffer {
        var received = ByteBuffer()
        while true {
            if let end = headEnd(received) {
                let head = received.readString(length: end) ?? ""
                let status = head.split(separator: " ", maxSplits: 2).dropFirst().first.flatMap { Int($0) } ?? 0
                if status == 101 || status == 200 { return received }
                // The connection may be kept alive behind a refusal: the announced length ends it.
                while received.readableBytes < contentLength(head), let more = try await bytes.next() {
                    received.writeImmutableBuffer(more)
                }
                let text = String(buffer: received)
                let value = try? JSONParser.parse(text.utf8)
                throw EngineError(
                    value?["message"]?.string ?? (text.isEmpty ? "podman answered \(status)" : text), status: status,
                    cause: value?["cause"]?.string)
            }
            guard received.readableBytes < headLimit, let more = try await bytes.next() else {
                throw EngineError("podman broke off its answer")
            }
            received.writeImmutableBuffer(more)
        }
    }

    private static func headEnd(_ bytes: ByteBuffer) -> Int? {
        let view = bytes.readableBytesView
        return view.firstRange(of: "\r\n\r\n".utf8).map { view.distance(from: view.startIndex, to: $0.upperBound) }
    }

    private static func contentLength(_ head: String) -> Int {
        for line in head.split(separator: "\r\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2, parts[0].lowercased() == "content-length" { return Int(parts[1].trimmed) ?? 0 }
        }
        return 0
    }
}
