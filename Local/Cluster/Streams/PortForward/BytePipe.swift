import DequeModule
import NIOCore
import Synchronization

/// Bytes on their way from one task to one other: beyond a bound the writer waits for the reader.
final class BytePipe: Sendable {
    private struct State {
        var chunks = Deque<ByteBuffer>()
        var bytes = 0
        /// Nothing more is written.
        var isFinished = false
        /// Nothing more is read.
        var isClosed = false
        var reader: CheckedContinuation<ByteBuffer?, Never>?
        var writer: CheckedContinuation<Void, Never>?
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int = 256 << 10) { self.limit = limit }

    /// Returns when there is room for more. What nobody will read is dropped.
    func write(_ bytes: ByteBuffer) async {
        guard bytes.readableBytes > 0 else { return }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waiting: (CheckedContinuation<ByteBuffer?, Never>?, Bool) = state.withLock { state in
                    guard !state.isClosed, !state.isFinished else { return (nil, true) }
                    if let reader = state.reader {
                        state.reader = nil
                        return (reader, true)
                    }
                    state.chunks.append(bytes)
                    state.bytes += bytes.readableBytes
                    guard state.bytes > limit, !Task.isCancelled else { return (nil, true) }
                    state.writer = continuation
                    return (nil, false)
                }
                waiting.0?.resume(returning: bytes)
                if waiting.1 { continuation.resume() }
            }
        } onCancel: {
            state.withLock { state in
                defer { state.writer = nil }
                return state.writer
            }?.resume()
        }
    }

    /// The writer has no more; what is in the pipe is still read.
    func finish() {
        state.withLock { state in
            state.isFinished = true
            defer { state.reader = nil }
            return state.reader
        }?.resume(returning: nil)
    }

    /// Ends both sides at once.
    func close() {
        let (reader, writer) = state.withLock { state in
            state.isClosed = true
            state.chunks.removeAll()
            state.bytes = 0
            defer {
                state.reader = nil
                state.writer = nil
            }
            return (state.reader, state.writer)
        }
        reader?.resume(returning: nil)
        writer?.resume()
    }

    /// The next bytes; nil at the end, and when the reading task is cancelled, which closes the pipe.
    func read() async -> ByteBuffer? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (bytes, isDecided, writer): (ByteBuffer?, Bool, CheckedContinuation<Void, Never>?) = state.withLock { state in
                    if let bytes = state.chunks.popFirst() {
                        state.bytes -= bytes.readableBytes
                        guard state.bytes <= limit / 2 else { return (bytes, true, nil) }
                        defer { state.writer = nil }
                        return (bytes, true, state.writer)
                    }
                    if state.isFinished || state.isClosed || Task.isCancelled { return (nil, true, nil) }
                    state.reader = continuation
                    return (nil, false, nil)
                }
                writer?.resume()
                if isDecided { continuation.resume(returning: bytes) }
            }
        } onCancel: {
            close()
        }
    }
}
