import DequeModule
import Logging
import NIOConcurrencyHelpers
import NIOCore

/// One pipelined connection. Submissions may come from any thread: they gather in an inbox, and one visit of the event loop writes all that
/// gathered with one flush. Everything else lives on the event loop, which is what `@unchecked Sendable` stands on.
final class RedisConnection: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private struct Inbox {
        var waiting: [Submission] = []
        var drainScheduled = false
        var closed: String?
    }
    /// A submission whose commands were written, and the replies that came so far.
    private struct InFlight {
        let submission: Submission
        var replies: [RedisValue] = []
    }

    /// Different for every connection of the process.
    let id: Int
    private static let nextID = NIOLockedValueBox(0)

    private let eventLoop: any EventLoop
    private let heartbeat: TimeAmount
    private let onClose: @Sendable (RedisConnection, String) -> Void
    private let inbox = NIOLockedValueBox(Inbox())

    // On the event loop only.
    private let reader: ReplyReader?
    private var context: ChannelHandlerContext?
    private var inFlight: Deque<InFlight> = []
    private var unsent: Deque<Submission> = []
    private var lastSign = NIODeadline.now()
    private var watch: RepeatedTask?
    private var failure: String?

    init(eventLoop: any EventLoop, heartbeat: TimeAmount, onClose: @escaping @Sendable (RedisConnection, String) -> Void) {
        self.eventLoop = eventLoop
        self.heartbeat = heartbeat
        self.onClose = onClose
        reader = ReplyReader()
        id = Self.nextID.withLockedValue { next in
            next += 1
            return next
        }
    }

    /// Sends the commands as soon as the socket takes them. Order is kept.
    func submit(_ submission: Submission) {
        let verdict: (schedule: Bool, closed: String?) = inbox.withLockedValue { inbox in
            if let reason = inbox.closed { return (false, reason) }
            inbox.waiting.append(submission)
            defer { inbox.drainScheduled = true }
            return (!inbox.drainScheduled, nil)
        }
        if let reason = verdict.closed { submission.complete(.failure(.unavailable(reason, mayHaveRun: false))) }
        if verdict.schedule { eventLoop.execute { self.drain() } }
    }

    func close(reason: String) {
        eventLoop.execute {
            self.failure = self.failure ?? reason
            if let context = self.context { context.close(promise: nil) } else { self.finish(reason) }
        }
    }

    // MARK: on the event loop

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        watch = eventLoop.scheduleRepeatedTask(initialDelay: .milliseconds(250), delay: .milliseconds(250)) { [weak self] _ in
            self?.checkDeadlines()
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastSign = .now()
        do {
            guard let reader else { throw RedisError.unavailable("no memory for a reader", mayHaveRun: true) }
            try reader.feed(unwrapInboundIn(data))
            while let reply = try reader.next() {
                guard !inFlight.isEmpty else { throw RedisError.unavailable("an answer nobody asked for", mayHaveRun: true) }
                inFlight[0].replies.append(reply)
                if inFlight[0].replies.count == inFlight[0].submission.replies {
                    let done = inFlight.removeFirst()
                    done.submission.complete(.success(done.replies))
                }
            }
        } catch {
            errorCaught(context: context, error: error)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { drain() }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        failure = failure ?? "\(error)"
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(failure ?? "the connection was closed")
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        finish(failure ?? "the connection was closed")
        self.context = nil
    }

    private func drain() {
        let fresh = inbox.withLockedValue { inbox in
            inbox.drainScheduled = false
            defer { inbox.waiting.removeAll(keepingCapacity: true) }
            return inbox.waiting
        }
        unsent.append(contentsOf: fresh)
        guard let context, context.channel.isActive else { return }
        var wrote = false
        while context.channel.isWritable, let next = unsent.popFirst() {
            inFlight.append(InFlight(submission: next))
            context.write(wrapOutboundOut(next.bytes), promise: nil)
            wrote = true
        }
        if wrote { context.flush() }
    }

    private func checkDeadlines() {
        let now = NIODeadline.now()
        if let oldest = inFlight.first, oldest.submission.deadline <= now {
            // The reply may yet come, and would be taken for that of the next command: this connection is of no more use.
            let late = inFlight.removeFirst()
            late.submission.complete(.failure(.timedOut))
            failure = failure ?? "a command was not answered in time"
            context?.close(promise: nil)
        } else if let oldest = unsent.first, oldest.deadline <= now {
            failure = failure ?? "the socket takes no more"
            context?.close(promise: nil)
        } else if inFlight.isEmpty, now - lastSign >= heartbeat {
            lastSign = now
            submit(Submission(bytes: ByteBuffer(string: "PING\r\n"), replies: 1, deadline: now + .seconds(5)) { _ in })
        }
    }

    /// The end, once: those in flight hear that their command may have run, those not yet written that it did not.
    private func finish(_ reason: String) {
        let first = inbox.withLockedValue { inbox in
            guard inbox.closed == nil else { return false }
            inbox.closed = reason
            unsent.append(contentsOf: inbox.waiting)
            inbox.waiting = []
            return true
        }
        guard first else { return }
        watch?.cancel()
        for item in inFlight { item.submission.complete(.failure(.unavailable(reason, mayHaveRun: true))) }
        for item in unsent { item.complete(.failure(.unavailable(reason, mayHaveRun: false))) }
        inFlight = []
        unsent = []
        onClose(self, reason)
    }
}
