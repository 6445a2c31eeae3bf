import Foundation
public import HTTPTypes
public import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1
public import NIOPosix
public import NIOSSL

/// A WebSocket client (RFC 6455) over plain TCP or TLS.
public enum WebSocketClient {
    /// Connects, makes the handshake and runs `body` with the open session; the session is closed when `body` ends.
    /// - Parameters:
    ///   - url: `ws`, `wss`, `http` or `https`; path and query are sent as they stand, so they must be percent-encoded.
    ///   - headers: further request fields, e.g. `Authorization`.
    ///   - protocols: subprotocols to offer, best first; `body` gets the one the server chose.
    ///   - tls: trust roots and client certificate for `wss`; nil: the system's roots.
    ///   - maxFrame: the longest frame and message accepted, in bytes.
    ///   - timeout: for connecting, TLS and the handshake together.
    ///   - heartbeat: the interval of pings; nil for none.
    /// - Throws: ``WebSocketHandshakeRefused`` with the server's answer, ``WebSocketError``, errors of NIO and NIOSSL, and whatever `body` throws.
    public static func connect<Value: Sendable>(
        url: String, headers: HTTPFields = [:], protocols: [String] = [], tls: TLSConfiguration? = nil, maxFrame: Int = 4 << 20,
        timeout: Duration = .seconds(30), heartbeat: Duration? = .seconds(30),
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        _ body: @Sendable (WebSocketSession, _ negotiated: String?) async throws -> Value
    ) async throws -> Value {
        let address = try WebSocketURL(url)
        let outcome = WebSocketOutcome()
        var configuration = ServerChannelConfiguration()
        configuration.maxFrame = maxFrame
        configuration.maxMessage = maxFrame
        if let heartbeat { configuration.pingInterval = heartbeat }
        let handshake = ClientHandshake(
            address: address, headers: headers, protocols: protocols, tls: tls, configuration: configuration, outcome: outcome,
            hasHeartbeat: heartbeat != nil, timeout: timeout)
        let established = try await handshake.perform(on: eventLoopGroup.next())
        return try await established.messages.executeThenClose { inbound, _ in
            let channel = established.messages.channel
            let session = WebSocketSession(
                inbound: WebSocketInbound(.channel(inbound), outcome: outcome), channel: channel, outcome: outcome)
            do {
                let value = try await body(session, established.negotiated)
                try? await session.close()
                try? await channel.closeFuture.cancellableGet()
                return value
            } catch {
                session.closeDetached(code: .normal)
                try? await channel.closeFuture.cancellableGet()
                throw error
            }
        }
    }
}

/// One attempt to open a session.
struct ClientHandshake {
    let address: WebSocketURL
    let headers: HTTPFields
    let protocols: [String]
    let tls: TLSConfiguration?
    let configuration: ServerChannelConfiguration
    let outcome: WebSocketOutcome
    let hasHeartbeat: Bool
    let timeout: Duration

    func perform(on loop: any EventLoop) async throws -> EstablishedWebSocket {
        // Reading certificates and building the trust store takes a while; not on the event loop.
        let context = address.isSecure ? try NIOSSLContext(configuration: tls ?? .makeClientConfiguration()) : nil
        let established = loop.makePromise(of: EstablishedWebSocket.self)
        let key = Self.makeKey()
        let request = makeRequest(key: key)
        let deadline = loop.scheduleTask(in: TimeAmount(timeout)) { established.fail(WebSocketError.handshakeTimedOut) }
        let connecting = ClientBootstrap(group: loop)
            .connectTimeout(TimeAmount(timeout))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    channel.keepAlive()
                    try fill(channel.pipeline.syncOperations, context, request, key, established)
                }
            }
            .connect(host: address.host, port: address.port)
        connecting.cascadeFailure(to: established)
        established.futureResult.whenComplete { result in
            deadline.cancel()
            guard case .failure = result else { return }
            connecting.whenSuccess { $0.close(promise: nil) }
        }
        return try await withTaskCancellationHandler {
            try await established.futureResult.get()
        } onCancel: {
            established.fail(CancellationError())
        }
    }

    private func fill(
        _ pipeline: ChannelPipeline.SynchronousOperations, _ context: NIOSSLContext?, _ request: HTTPRequest, _ key: String,
        _ established: EventLoopPromise<EstablishedWebSocket>
    ) throws {
        if let context {
            // SNI takes names only; an address is checked against the certificate by the connection itself.
            let isAddress = (try? SocketAddress(ipAddress: address.host, port: 0)) != nil
            try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : address.host))
        }
        let encoder = HTTPRequestEncoder()
        let decoder = ByteToMessageHandler(HTTPResponseDecoder(leftOverBytesStrategy: .forwardBytes))
        let codec = HTTP1ToHTTPClientCodec()
        let end = HeldEnd()
        let handshake = ClientHandshakeHandler(
            request: request, key: key, replaced: [codec, encoder, decoder], end: end, configuration: configuration, outcome: outcome,
            hasHeartbeat: hasHeartbeat, established: established)
        try pipeline.addHandlers([end, encoder, decoder, codec, handshake])
    }

    private func makeRequest(key: String) -> HTTPRequest {
        var request = HTTPRequest(
            method: .get, scheme: address.isSecure ? "https" : "http", authority: address.authority, path: address.target,
            headerFields: headers)
        request.headerFields[.upgrade] = "websocket"
        request.headerFields[.connection] = "Upgrade"
        request.headerFields[.secWebSocketVersion] = "13"
        request.headerFields[.secWebSocketKey] = key
        if !protocols.isEmpty { request.headerFields[.secWebSocketProtocol] = protocols.joined(separator: ", ") }
        return request
    }

    private static func makeKey() -> String {
        Data((0..<16).map { _ in UInt8.random(in: .min ... .max) }).base64EncodedString()
    }
}
