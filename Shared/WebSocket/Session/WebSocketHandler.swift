import NIOCore
import NIOExtras
import NIOWebSocket

/// The protocol side of one open WebSocket: pongs, heartbeat, limits, the close handshake, graceful shutdown, back-pressure both ways.
///
/// It reads on, within ``readAhead``, while the holder of the session does not take messages: so a ping behind them is found and answered.
final class WebSocketHandler: ChannelDuplexHandler {
    typealias InboundIn = WebSocketFrame
    typealias InboundOut = Never
    typealias OutboundIn = Never
    typealias OutboundOut = WebSocketFrame

    enum Side { case server, client }
    /// The session wants no heartbeat.
    struct StopHeartbeat: Sendable {}

    /// How much is read ahead of the session, in bytes.
    private static let readAhead = 256 << 10
    /// Long messages are sent as fragments of this size, so that control frames fit between messages of other senders' connections.
    private static let fragment = 1 << 20

    private enum Phase {
        /// Frames are held back until ``start()``.
        case waiting([WebSocketFrame])
        case open
        /// Our close frame is out; the other end's is awaited.
        case closing
        /// Nothing is read any more.
        case ended
    }

    private let side: Side
    private let configuration: ServerChannelConfiguration
    private let outcome: WebSocketOutcome
    /// Makes the element of the async channel that stands for a message, or (nil) for the end.
    private let deliver: (ByteBuffer?) -> NIOAny

    private var phase = Phase.waiting([])
    private var assembler: MessageAssembler
    private var queue = InboundQueue()
    private var heartbeat: Heartbeat
    private var context: ChannelHandlerContext?
    private var closeTimer: Scheduled<Void>?
    private var pongIsUnderWay = false
    private var nextPong: ByteBuffer?
    private var unaskedPong: Scheduled<Void>?

    init(side: Side, configuration: ServerChannelConfiguration, outcome: WebSocketOutcome, deliver: @escaping (ByteBuffer?) -> NIOAny) {
        self.side = side
        self.configuration = configuration
        self.outcome = outcome
        self.deliver = deliver
        self.assembler = MessageAssembler(expectsMask: side == .server, maxMessage: configuration.maxMessage)
        self.heartbeat = Heartbeat(interval: TimeAmount(configuration.pingInterval))
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        stopTimers()
        self.context = nil
    }

    /// The handshake is over on this side: frames may flow.
    func start() {
        guard let context, case .waiting(let held) = phase else { return }
        phase = .open
        schedulePing(context)
        for frame in held { receive(frame, context) }
        pump(context)
    }

    // MARK: Inbound

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        receive(unwrapInboundIn(data), context)
    }

    func channelReadComplete(context: ChannelHandlerContext) { pump(context) }

    private func receive(_ frame: WebSocketFrame, _ context: ChannelHandlerContext) {
        heartbeat.heard()
        switch phase {
        case .waiting(let held): phase = .waiting(held + [frame])
        case .ended: break
        case .open, .closing:
            do {
                if let event = try assembler.receive(frame) { handle(event, context) }
            } catch {
                violated(error, context)
            }
        }
    }

    private func handle(_ event: MessageAssembler.Event, _ context: ChannelHandlerContext) {
        switch event {
        case .message(let message):
            if case .open = phase { queue.append(message) }
        case .ping(let data):
            if case .open = phase { pong(data, context) }
        case .pong: break
        case .close(let close):
            outcome.received(close)
            outcome.end(.closed)
            if case .open = phase {
                sendClose(WebSocketClose(code: close.code), context, thenEnd: true)
            } else {
                context.close(promise: nil)
            }
            phase = .ended
            endInbound(context)
        }
    }

    /// Gives the session what it asks for, then reads on while there is room.
    private func pump(_ context: ChannelHandlerContext) {
        guard !queue.isPumped else { return }
        queue.isPumped = true
        while !queue.isEmpty {
            // Comes back as `read` at once, or when the session has caught up.
            if queue.mustAsk() { context.pipeline.read() }
            guard let message = queue.next() else { break }
            context.fireChannelRead(deliver(message))
            context.fireChannelReadComplete()
        }
        queue.isPumped = false
        if queue.bytes < Self.readAhead { context.read() } else { pongUnasked(context) }
    }

    func read(context: ChannelHandlerContext) {
        switch phase {
        case .ended: context.read()
        default:
            queue.wanted()
            pump(context)
        }
    }

    /// Everything that came in goes to the session now, and after it the end.
    private func endInbound(_ context: ChannelHandlerContext) {
        guard !queue.hasEnded else { return }
        for message in queue.end() { context.fireChannelRead(deliver(message)) }
        context.fireChannelRead(deliver(nil))
        context.fireChannelReadComplete()
    }

    // MARK: Outbound

    /// The async channel's own parts: only the end of the response's body, when the session has been closed already.
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) { promise?.succeed() }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        switch event {
        case let outbound as WebSocketOutbound: send(outbound, context, promise)
        case is StopHeartbeat:
            heartbeat.stop()
            promise?.succeed()
        default: context.triggerUserOutboundEvent(event, promise: promise)
        }
    }

    private func send(_ outbound: WebSocketOutbound, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        guard case .open = phase else {
            if case .close = outbound { promise?.succeed() } else { promise?.fail(outcome.sendingError ?? WebSocketError.closed) }
            return
        }
        switch outbound {
        case .text(let data): send(.text, data, context, promise)
        case .binary(let data): send(.binary, data, context, promise)
        case .close(let close):
            phase = .closing
            outcome.end(.closed)
            sendClose(close, context, thenEnd: false)
            promise?.succeed()
        }
    }

    private func send(_ opcode: WebSocketOpcode, _ data: ByteBuffer, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        let done = promise ?? context.eventLoop.makePromise()
        done.futureResult.assumeIsolated().whenSuccess { [self] in heartbeat.progressed() }
        var data = data
        var opcode = opcode
        while data.readableBytes > Self.fragment, let part = data.readSlice(length: Self.fragment) {
            context.write(wrapOutboundOut(frame(opcode, part, fin: false)), promise: nil)
            opcode = .continuation
        }
        context.writeAndFlush(wrapOutboundOut(frame(opcode, data)), promise: done)
    }

    private func frame(_ opcode: WebSocketOpcode, _ data: ByteBuffer, fin: Bool = true) -> WebSocketFrame {
        WebSocketFrame(fin: fin, opcode: opcode, maskKey: side == .client ? .random() : nil, data: data)
    }

    /// A peer that pings without reading gets the newest pong only (RFC 6455 §5.5.3), so pongs do not pile up.
    private func pong(_ data: ByteBuffer, _ context: ChannelHandlerContext) {
        guard !pongIsUnderWay else { return nextPong = data }
        pongIsUnderWay = true
        let done = context.eventLoop.makePromise(of: Void.self)
        done.futureResult.assumeIsolated().whenSuccess { [self] in
            pongIsUnderWay = false
            guard let data = nextPong, let context = self.context else { return }
            nextPong = nil
            if case .open = phase { pong(data, context) }
        }
        context.writeAndFlush(wrapOutboundOut(frame(.pong, data)), promise: done)
    }

    /// While nothing is read, pings wait in the socket behind messages, and clients drop a connection that leaves a ping unanswered for some
    /// seconds. Any frame calms them, so they get pongs that nobody asked for (RFC 6455 §5.5.3 allows it).
    private func pongUnasked(_ context: ChannelHandlerContext) {
        guard unaskedPong == nil, case .open = phase else { return }
        unaskedPong = context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(3)) { [self] in
            unaskedPong = nil
            guard case .open = phase, queue.bytes >= Self.readAhead else { return }
            pong(ByteBuffer(), context)
            pongUnasked(context)
        }
    }

    // MARK: The end

    /// - Parameter thenEnd: the connection ends when the frame is out, rather than with the other end's answer.
    private func sendClose(_ close: WebSocketClose, _ context: ChannelHandlerContext, thenEnd: Bool) {
        var data = ByteBuffer()
        if let code = close.code, code.mayBeSent {
            data.writeInteger(code.rawValue)
            data.writeString(close.reason.prefixOfUTF8(123))
        }
        let channel = context.channel
        let done = context.eventLoop.makePromise(of: Void.self)
        if thenEnd { done.futureResult.whenComplete { _ in channel.close(promise: nil) } }
        context.writeAndFlush(wrapOutboundOut(frame(.connectionClose, data)), promise: done)
        closeWithin(TimeAmount(configuration.closeTimeout), context)
    }

    private func closeWithin(_ time: TimeAmount, _ context: ChannelHandlerContext) {
        heartbeat.stop()
        closeTimer?.cancel()
        let channel = context.channel
        closeTimer = context.eventLoop.assumeIsolated().scheduleTask(in: time) { channel.close(promise: nil) }
    }

    /// Tells the other end what it did wrong. What it still sends is read and dropped for a moment, since closing over unread bytes would
    /// reset the connection and lose the close frame.
    private func violated(_ violation: MessageAssembler.Violation, _ context: ChannelHandlerContext) {
        if case .ended = phase { return }
        let wasOpen = if case .open = phase { true } else { false }
        phase = .ended
        outcome.end(.violation(violation.code, violation.reason))
        guard wasOpen else { return context.close(promise: nil) }
        endInbound(context)
        sendClose(WebSocketClose(code: violation.code, reason: violation.reason), context, thenEnd: false)
        if side == .server { context.close(mode: .output, promise: nil) }
        closeWithin(min(.seconds(1), TimeAmount(configuration.closeTimeout)), context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case NIOWebSocketError.invalidFrameLength:
            violated(.init(code: .messageTooBig, reason: "frame over \(configuration.maxFrame) bytes"), context)
        case is NIOWebSocketError: violated(.init(code: .protocolError, reason: "malformed control frame"), context)
        case is ByteToMessageDecoderError: break
        default: lost(context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent:
            guard case .open = phase else { return }
            phase = .closing
            outcome.end(.closed)
            sendClose(WebSocketClose(code: .goingAway, reason: "shutting down"), context, thenEnd: false)
            endInbound(context)
        case ChannelEvent.inputClosed: lost(context)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        outcome.end(.lost)
        phase = .ended
        stopTimers()
        endInbound(context)
        context.fireChannelInactive()
    }

    private func lost(_ context: ChannelHandlerContext) {
        outcome.end(.lost)
        phase = .ended
        endInbound(context)
        context.close(promise: nil)
    }

    // MARK: Heartbeat

    private func schedulePing(_ context: ChannelHandlerContext) {
        heartbeat.timer = context.eventLoop.assumeIsolated().scheduleTask(in: heartbeat.interval) { [self] in
            guard case .open = phase, !heartbeat.isStopped else { return }
            context.writeAndFlush(wrapOutboundOut(frame(.ping, ByteBuffer())), promise: nil)
            heartbeat.pinged()
            scheduleSilenceCheck(context)
        }
    }

    private func scheduleSilenceCheck(_ context: ChannelHandlerContext) {
        let wait = TimeAmount.nanoseconds(heartbeat.interval.nanoseconds / 2)
        heartbeat.timer = context.eventLoop.assumeIsolated().scheduleTask(in: wait) { [self] in
            guard case .open = phase, !heartbeat.isStopped else { return }
            // While this end does not read, the pong may well be waiting in the socket.
            if heartbeat.isSilent, queue.bytes < Self.readAhead { return lost(context) }
            schedulePing(context)
        }
    }

    private func stopTimers() {
        heartbeat.stop()
        closeTimer?.cancel()
        unaskedPong?.cancel()
    }
}

extension String {
    /// The longest beginning of whole characters that takes at most `limit` bytes.
    func prefixOfUTF8(_ limit: Int) -> String {
        var result = self
        while result.utf8.count > limit { result.removeLast() }
        return result
    }
}
