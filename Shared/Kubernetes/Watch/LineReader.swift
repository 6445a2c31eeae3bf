import NIOCore

/// Cuts a stream of buffers into lines. A line may be at most `limit` bytes.
struct LineReader<Base: AsyncSequence> where Base.Element == ByteBuffer {
    private var iterator: Base.AsyncIterator
    private var pending = ByteBuffer()
    /// Bytes of `pending` known to hold no line end.
    private var searched = 0
    private let limit: Int

    init(_ base: Base, limit: Int = 16 << 20) {
        iterator = base.makeAsyncIterator()
        self.limit = limit
    }

    /// The next line without its end; the last one may lack it. Nil at the end.
    mutating func next() async throws -> [UInt8]? {
        while true {
            let view = pending.readableBytesView
            if let end = view[(view.startIndex + searched)...].firstIndex(of: 0x0A) {
                let line = pending.readBytes(length: end - view.startIndex)
                pending.moveReaderIndex(forwardBy: 1)
                searched = 0
                pending.discardReadBytes()
                return line
            }
            searched = pending.readableBytes
            guard searched <= limit else { throw KubernetesError.decoding("a line of more than \(limit) bytes") }
            guard var chunk = try await iterator.next() else {
                guard searched > 0 else { return nil }
                searched = 0
                return pending.readBytes(length: pending.readableBytes)
            }
            pending.writeBuffer(&chunk)
        }
    }
}
