import HTTPTypes
import NIOCore
import NIOExtras
import NIOHTTP1
import NIOHTTPTypes
import NIOWebSocket

/// Watches the requests of one connection: idle time, `Connection: close`, graceful shutdown, and the upgrade to a WebSocket.
///
/// A request that may become a WebSocket has its end withheld: released when an ordinary response answers it, swallowed by a 101, after which
/// the body goes on as the stream of messages. The decoder reads nothing after a request that asked for any upgrade (its bytes may be another
/// protocol), so a connection on which such a request was answered otherwise can serve no further one and is closed.
final class ServerConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// The session to come takes longer messages, or only shorter ones.
    struct MaxMessage: Sendable {
        let bytes: Int
    }

    private var configuration: ServerChannelConfiguration
    private let parts: SendFileHandler
    private let replacedByUpgrade: [any RemovableChannelHandler]
    private let outcome: WebSocketOutcome

    private var ledger = RequestLedger()
    private var withheldEnd: HTTPRequestPart?
    private var idleCheck: Scheduled<Void>?
    private var lastActivity = NIODeadline.now()
    private var readIsOutstanding = false
    private var upgraded = false
    /// A request behind the last one that this connection answers.
    private var ignoresRequests = false
    private var refusedBody = false
    /// What made the head of a request unreadable was its size.
    private var headIsTooLarge = false

    /// - Parameter parts: what stands right before the encoder.
    init(
        configuration: ServerChannelConfiguration, parts: SendFileHandler, replacedByUpgrade: [any RemovableChannelHandler],
        outcome: WebSocketOutcome
    ) {
        self.configuration = configuration
        self.parts = parts
        self.replacedByUpgrade = replacedByUpgrade
        self.outcome = outcome
    }

    func handlerAdded(context: ChannelHandlerContext) {
        scheduleIdleCheck(context, after: TimeAmount(configuration.idleTimeout))
    }

    func handlerRemoved(context: ChannelHandlerContext) { idleCheck?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        idleCheck?.cancel()
        context.fireChannelInactive()
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !upgraded else { return context.fireChannelRead(data) }
        lastActivity = .now()
        let part = unwrapInboundIn(data)
        switch part {
        case .head(let head):
            ignoresRequests = ledger.closesAfterResponse
            guard !ignoresRequests else { return }
            ledger.began(head)
            context.fireChannelRead(data)
        case .body:
            guard !ignoresRequests, !ledger.isClosed else { return }
            context.fireChannelRead(data)
        case .end:
            guard !ignoresRequests, !ledger.isClosed else { return }
            ledger.received()
            if ledger.awaitsUpgrade { withheldEnd = part } else { context.fireChannelRead(data) }
        }
    }

    func read(context: ChannelHandlerContext) {
        readIsOutstanding = true
        context.read()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        readIsOutstanding = false
        context.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case HTTPParserError.headerOverflow = error { headIsTooLarge = true }
        context.fireErrorCaught(error)
    }

    // MARK: Responses

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !upgraded else { return context.write(data, promise: promise) }
        switch unwrapOutboundIn(data) {
        case .head(var head):
            if head.status == .switchingProtocols {
                guard ledger.answersUpgrade, withheldEnd != nil else {
                    return failUpgrade(context, promise)
                }
                return upgrade(context, head, promise)
            }
            guard head.status.code >= 200 else { return context.write(data, promise: promise) }
            // The server answers every unreadable head with 400.
            if headIsTooLarge, head.status == .badRequest { head.status = .requestHeaderFieldsTooLarge }
            if ledger.answered(head) { head.headerFields[.connection] = "close" }
            parts.leavesBody = ledger.answersHead
            context.write(wrapOutboundOut(.head(head)), promise: promise)
            if ledger.answersUpgrade, let end = withheldEnd {
                withheldEnd = nil
                context.fireChannelRead(wrapInboundOut(end))
                context.fireChannelReadComplete()
            }
        case .body:
            if refusedBody { promise?.fail(WebSocketError.noConnection) } else { context.write(data, promise: promise) }
        case .end:
            lastActivity = .now()
            if refusedBody {
                promise?.succeed()
                return
            }
            context.write(data, promise: promise)
            if ledger.finished() { closeAfterFlush(context) }
        }
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        switch event {
        case is WantsBody:
            if !upgraded, ledger.wantsBody() {
                context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
            }
        case let limit as MaxMessage:
            configuration.maxFrame = limit.bytes
            configuration.maxMessage = limit.bytes
        default: return context.triggerUserOutboundEvent(event, promise: promise)
        }
        promise?.succeed()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard !upgraded, event is ChannelShouldQuiesceEvent else { return context.fireUserInboundEventTriggered(event) }
        if ledger.quiesce() { context.close(promise: nil) }
    }

    /// Lets the response out, then waits a moment for the client to have read it: closing with unread bytes in the socket would reset the
    /// connection and could take the response with it.
    private func closeAfterFlush(_ context: ChannelHandlerContext) {
        let channel = context.channel
        context.flush()
        context.close(mode: .output, promise: nil)
        channel.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
    }

    // MARK: Upgrade

    private func upgrade(_ context: ChannelHandlerContext, _ head: HTTPResponse, _ promise: EventLoopPromise<Void>?) {
        upgraded = true
        idleCheck?.cancel()
        withheldEnd = nil
        context.write(wrapOutboundOut(.head(head)), promise: promise)
        context.flush()
        let session = WebSocketHandler(
            side: .server, configuration: configuration, outcome: outcome,
            deliver: { $0.map { NIOAny(HTTPRequestPart.body($0)) } ?? NIOAny(HTTPRequestPart.end(nil)) })
        let frames = ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: configuration.maxFrame))
        let pipeline = context.pipeline.syncOperations
        do {
            try pipeline.addHandlers([WebSocketFrameEncoder(), frames, session], position: .before(self))
            // Nearest to the async channel first; the decoder comes last and hands over what it has read already.
            for handler in [self] + replacedByUpgrade { pipeline.removeHandler(handler, promise: nil) }
            session.start()
        } catch {
            context.close(promise: nil)
        }
    }

    /// A 101 to a request that asked for nothing: a route's mistake, answered as one.
    private func failUpgrade(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        var head = HTTPResponse(status: .internalServerError, headerFields: [.contentLength: "0"])
        _ = ledger.answered(head)
        head.headerFields[.connection] = "close"
        context.write(wrapOutboundOut(.head(head)), promise: promise)
        context.write(wrapOutboundOut(.end(nil)), promise: nil)
        refusedBody = true
        _ = ledger.finished()
        closeAfterFlush(context)
    }

    // MARK: Idle time

    private func scheduleIdleCheck(_ context: ChannelHandlerContext, after delay: TimeAmount) {
        idleCheck = context.eventLoop.assumeIsolated().scheduleTask(in: delay) { [self] in
            let timeout = TimeAmount(configuration.idleTimeout)
            let rest = lastActivity + timeout - .now()
            // While a route works, or holds back an upload, the client has nothing to answer for.
            if ledger.isIdle || (ledger.isReceiving && readIsOutstanding), rest <= .zero {
                context.close(promise: nil)
            } else {
                scheduleIdleCheck(context, after: rest <= .zero ? timeout : rest)
            }
        }
    }
}
