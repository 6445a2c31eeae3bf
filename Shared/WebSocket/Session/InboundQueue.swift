import DequeModule
import NIOCore

/// Messages read ahead of the session, given out one by one on demand.
struct InboundQueue {
    private enum Demand { case unknown, asked, wanted }

    private var messages = Deque<ByteBuffer>()
    private var demand = Demand.unknown
    /// What is queued, with some overhead for each message.
    private(set) var bytes = 0
    private(set) var hasEnded = false
    /// Messages are being given out further up the stack.
    var isPumped = false

    var isEmpty: Bool { messages.isEmpty }

    mutating func append(_ message: ByteBuffer) {
        guard !hasEnded else { return }
        messages.append(message)
        bytes += message.readableBytes + 64
    }

    /// The reader takes one more.
    mutating func wanted() { demand = .wanted }

    /// Whether the reader has to be asked: once, for it answers in its own time.
    mutating func mustAsk() -> Bool {
        guard demand == .unknown else { return false }
        demand = .asked
        return true
    }

    /// Nil when the reader does not want one.
    mutating func next() -> ByteBuffer? {
        guard demand == .wanted, let message = messages.popFirst() else { return nil }
        demand = .unknown
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
