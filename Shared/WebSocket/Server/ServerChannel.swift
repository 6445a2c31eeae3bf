public import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOSSL

extension HTTPServerBuilder {
    /// The platform's server channel: HTTP/1.1 with keep-alive, WebSocket upgrades on any request of a connection, files by the kernel.
    public static func orrery(_ configuration: ServerChannelConfiguration = .init()) -> HTTPServerBuilder {
        HTTPServerBuilder { ServerChannel(responder: $0, configuration: configuration) }
    }
}

/// One accepted connection. Pipeline, from the network: TLS if configured · encoder · decoder · ``SendFileHandler`` · codec · ``ServerConnectionHandler`` · the
/// async channel; after an upgrade: frame encoder · frame decoder · ``WebSocketHandler`` · the same async channel, in which messages travel as
/// parts of the request's body.
struct ServerChannel: HTTPChannelHandler {
    struct Value: ServerChildChannelValue {
        let parts: NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>
        let outcome: WebSocketOutcome
        var channel: any Channel { parts.channel }
    }

    /// How much is read at once: what fits the processor's caches makes the fewest calls of a large upload; small requests stay small.
    private static let reading = AdaptiveRecvByteBufferAllocator(minimum: 1 << 10, initial: 4 << 10, maximum: 128 << 10)

    let responder: Responder
    let configuration: ServerChannelConfiguration

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = configuration.maxHeaderBytes
            limits.maxHeaderListSize = configuration.maxHeaderBytes
            limits.maxHeaderFieldCount = configuration.maxHeaderFields
            let encoder = HTTPResponseEncoder()
            let decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits))
            let files = SendFileHandler()
            let codec = HTTP1ToHTTPServerCodec(secure: configuration.certificate != nil)
            let outcome = WebSocketOutcome()
            let connection = ServerConnectionHandler(
                configuration: configuration, parts: files, replacedByUpgrade: [codec, files, encoder, decoder], outcome: outcome)
            let pipeline = channel.pipeline.syncOperations
            if let certificate = configuration.certificate {
                try pipeline.addHandler(NIOSSLServerHandler(context: certificate.context()))
            }
            try pipeline.addHandlers([encoder, decoder, files, codec, connection])
            channel.keepAlive()
            try channel.syncOptions?.setOption(.recvAllocator, value: Self.reading)
            return Value(
                parts: try NIOAsyncChannel(wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true)),
                outcome: outcome)
        }
    }

    func handle(value: Value, logger: Logger) async {
        let connection = ServerConnection(
            channel: value.channel, outcome: value.outcome, isSecure: configuration.certificate != nil)
        await withTaskExecutorPreference(EventLoopExecutor(value.channel.eventLoop)) {
            await ServerConnection.$current.withValue(connection) {
                await handleHTTP(asyncChannel: value.parts, logger: logger)
            }
        }
    }
}
