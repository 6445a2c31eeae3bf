import NIOCore
import Synchronization

/// A stream that the other end has opened.
final class SPDYStream: ForwardedStream {
    /// The longest data frame that is sent.
    private static let frame = 32 << 10
    /// What has been read before the other end is granted more.
    private static let step = 16 << 10

    let id: UInt32
    let headers: SPDYHeaders
    /// What the other end sends. Within its window it never waits.
    let input = BytePipe(limit: 4 * SPDYFrame.initialWindow)
    let canFinish = true

    private let windows: SPDYWindows
    private let send: @Sendable (ByteBuffer) async throws -> Void
    private let unacknowledged = Mutex(0)
    private let isFinished = Mutex(false)
    private let over: AsyncStream<Void>
    private let end: AsyncStream<Void>.Continuation

    init(
        id: UInt32, headers: SPDYHeaders, windows: SPDYWindows, send: @escaping @Sendable (ByteBuffer) async throws -> Void
    ) {
        self.id = id
        self.headers = headers
        self.windows = windows
        self.send = send
        (over, end) = AsyncStream.makeStream(of: Void.self)
        windows.open(id)
    }

    /// Neither end has anything to do with it any more.
    var isOver: Bool { !windows.has(id) }

    /// To be waited for by one task.
    func untilOver() async { for await _ in over {} }

    /// The first value of a header.
    func header(_ name: String) -> String? { headers[name]?.first }

    func read() async -> ByteBuffer? {
        guard let bytes = await input.read() else { return nil }
        let read = unacknowledged.withLock { count in
            count += bytes.readableBytes
            guard count >= Self.step else { return 0 }
            defer { count = 0 }
            return count
        }
        if read > 0 { try? await send(SPDYEncoder.encodeBare(.window(stream: id, more: UInt32(read)))) }
        return bytes
    }

    /// Returns when the transport took it all.
    /// - Throws: `CancellationError` when the stream is over.
    func write(_ bytes: ByteBuffer) async throws {
        var bytes = bytes
        while bytes.readableBytes > 0 {
            guard let count = await windows.take(min(bytes.readableBytes, Self.frame), of: id), let part = bytes.readSlice(length: count)
            else { throw CancellationError() }
            try await send(SPDYEncoder.encodeBare(.data(stream: id, bytes: part, isLast: false)))
        }
    }

    func finish() async throws {
        let isFirst = isFinished.withLock { finished in
            defer { finished = true }
            return !finished
        }
        guard isFirst, await windows.take(0, of: id) != nil else { return }
        try await send(SPDYEncoder.encodeBare(.data(stream: id, bytes: ByteBuffer(), isLast: true)))
    }

    /// The stream is over for both ends.
    func close() {
        windows.close(id)
        input.close()
        end.finish()
    }
}
