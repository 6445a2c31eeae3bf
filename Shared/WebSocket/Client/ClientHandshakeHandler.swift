import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOWebSocket

/// What the handshake leads to.
struct EstablishedWebSocket: Sendable {
    let messages: NIOAsyncChannel<ByteBuffer, Never>
    let negotiated: String?
}

/// The client's half of the opening handshake (RFC 6455 §4.1).
final class ClientHandshakeHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPRequestPart

    private static let refusalLimit = 64 << 10

    private enum State {
        case waiting
        case accepted(HTTPResponse)
        case refused(HTTPResponse, ByteBuffer)
        case done
    }

    private let request: HTTPRequest
    private let key: String
    private let replaced: [any RemovableChannelHandler]
    private let end: HeldEnd
    private let configuration: ServerChannelConfiguration
    private let outcome: WebSocketOutcome
    private let hasHeartbeat: Bool
    private let established: EventLoopPromise<EstablishedWebSocket>
    private var state = State.waiting

    init(
        request: HTTPRequest, key: String, replaced: [any RemovableChannelHandler], end: HeldEnd, configuration: ServerChannelConfiguration,
        outcome: WebSocketOutcome, hasHeartbeat: Bool, established: EventLoopPromise<EstablishedWebSocket>
    ) {
        self.request = request
        self.key = key
        self.replaced = replaced
        self.end = end
        self.configuration = configuration
        self.outcome = outcome
        self.hasHeartbeat = hasHeartbeat
        self.established = established
    }

    func channelActive(context: ChannelHandlerContext) {
        // A TLS handler keeps this until its own handshake is done.
        context.write(wrapOutboundOut(.head(request)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (unwrapInboundIn(data), state) {
        case (.head(let head), .waiting):
            state = head.status == .switchingProtocols ? .accepted(head) : .refused(head, ByteBuffer())
        case (.end, .accepted(let head)): switchProtocols(context, head)
        case (.body(var part), .refused(let head, var body)):
            if let some = part.readSlice(length: min(part.readableBytes, Self.refusalLimit - body.readableBytes)) {
                body.writeImmutableBuffer(some)
            }
            state = .refused(head, body)
            if body.readableBytes == Self.refusalLimit { refuse(context, head, body) }
        case (.end, .refused(let head, let body)): refuse(context, head, body)
        default: break
        }
    }

    private func refuse(_ context: ChannelHandlerContext, _ head: HTTPResponse, _ body: ByteBuffer) {
        fail(context, WebSocketHandshakeRefused(status: head.status.code, headers: head.headerFields, body: body))
    }

    private func fail(_ context: ChannelHandlerContext, _ error: any Error) {
        state = .done
        established.fail(error)
        context.close(promise: nil)
    }

    private func switchProtocols(_ context: ChannelHandlerContext, _ head: HTTPResponse) {
        let fields = head.headerFields
        let negotiated = fields[.secWebSocketProtocol]
        let offered = request.headerFields[values: .secWebSocketProtocol].flatMap { $0.split(separator: ",") }
        guard fields.lists(.upgrade, "websocket"), fields.lists(.connection, "upgrade") else {
            return fail(context, WebSocketError.badHandshake("101 without an upgrade to websocket"))
        }
        guard fields[.secWebSocketAccept] == WebSocketUpgrade.acceptance(of: key) else {
            return fail(context, WebSocketError.badHandshake("wrong Sec-WebSocket-Accept"))
        }
        guard negotiated.map({ name in offered.contains { $0.drop { $0 == " " } == name } }) ?? true else {
            return fail(context, WebSocketError.badHandshake("a subprotocol that was not offered"))
        }
        guard fields[.secWebSocketExtensions] == nil else {
            return fail(context, WebSocketError.badHandshake("an extension that was not offered"))
        }
        do {
            try open(context, negotiated)
        } catch {
            fail(context, error)
        }
    }

    private func open(_ context: ChannelHandlerContext, _ negotiated: String?) throws {
        state = .done
        let session = WebSocketHandler(
            side: .client, configuration: configuration, outcome: outcome, deliver: { NIOAny($0 ?? ByteBuffer()) })
        let pipeline = context.pipeline.syncOperations
        let frames = ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: configuration.maxFrame))
        try pipeline.addHandlers([WebSocketFrameEncoder(), frames, session], position: .after(self))
        let messages = try NIOAsyncChannel<ByteBuffer, Never>(wrappingChannelSynchronously: context.channel)
        if !hasHeartbeat { context.channel.triggerUserOutboundEvent(WebSocketHandler.StopHeartbeat(), promise: nil) }
        end.hold()
        let removals = ([self] + replaced).map { pipeline.removeHandler($0) }
        // Not before the response decoder is gone, which takes every write for a request's part.
        // A removal fails only if the connection has ended and taken the handler along; what came before its end is still to be read.
        EventLoopFuture.andAllComplete(removals, on: context.eventLoop).assumeIsolated().whenComplete { [self] _ in
            session.start()
            established.succeed(EstablishedWebSocket(messages: messages, negotiated: negotiated))
            end.release()
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .done = state { return context.fireErrorCaught(error) }
        fail(context, error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        switch state {
        case .refused(let head, let body): refuse(context, head, body)
        case .waiting, .accepted: fail(context, WebSocketError.connectionLost)
        case .done: break
        }
        context.fireChannelInactive()
    }
}
