import DequeModule
import NIOCore

/// Messages read ahead of the session, given out one by one on demand.
struct InboundQueue {
    private var messages = Deque<ByteBuffer>()
    /// What is queued, with some overhead for each message.
    private(set) var bytes = 0
    private(set) var hasEnded = false
    /// The reader wants one more.
    var demand = false
    private(set) var isDelivering = false

    mutating func append(_ message: ByteBuffer) {
        guard !hasEnded else { return }
        messages.append(message)
        bytes += message.readableBytes + 64
    }

    /// Nil when there is nothing to give or nobody asks.
    mutating func next() -> ByteBuffer? {
        guard demand, let message = messages.popFirst() else {
            isDelivering = false
            return nil
        }
        demand = false
        isDelivering = true
        bytes -= message.readableBytes + 64
        return message
    }

    /// No message follows; gives out all that wait.
    mutating func end() -> [ByteBuffer] {
        hasEnded = true
        defer { messages.removeAll() }
        bytes = 0
        return Array(messages)
    }
}
