import Hummingbird
import NIOCore
import Synchronization
import WebSocket

/// A request body that stops at a limit, says when it is wanted, and remembers whether it was read to its end: a refusal that leaves a
/// body unread must close the connection, or a client's upload is read to its end for nothing.
struct MonitoredBody: AsyncSequence, Sendable {
    final class State: Sendable {
        let finished = Atomic(false)
        /// Told before the first read; nil if the client sends its body unasked.
        let channel: (any Channel)?

        init(channel: (any Channel)?) { self.channel = channel }
    }

    let base: RequestBody
    let limit: Int
    let state: State

    struct AsyncIterator: AsyncIteratorProtocol {
        var base: RequestBody.AsyncIterator
        let limit: Int
        var read = 0
        var hasBegun = false
        let state: State

        mutating func next() async throws -> ByteBuffer? {
            if !hasBegun {
                hasBegun = true
                state.channel?.triggerUserOutboundEvent(WantsBody(), promise: nil)
            }
            guard let buffer = try await base.next() else {
                state.finished.store(true, ordering: .relaxed)
                return nil
            }
            read += buffer.readableBytes
            guard read <= limit else { throw NIOTooManyBytesError(maxBytes: limit) }
            return buffer
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(base: base.makeAsyncIterator(), limit: limit, state: state)
    }
}
