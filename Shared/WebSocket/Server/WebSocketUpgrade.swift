import Crypto
import Foundation
public import HTTPTypes
public import HummingbirdCore
public import Logging

/// A WebSocket handshake (RFC 6455 §4.2), to be answered by an ordinary route:
///
///     guard let upgrade = WebSocketUpgrade(request: request) else { throw … 400 }
///     return upgrade.accept(subprotocol: upgrade.choose(["v2.channels.neu.ro"])) { session in … }
///
/// Middleware has run before, and a refusal is an ordinary response (which the channel answers with `Connection: close`).
public struct WebSocketUpgrade: Sendable {
    /// The subprotocols that the client offered, in its order.
    public let offeredProtocols: [String]
    /// The heartbeat of one session.
    public enum Heartbeat: Sendable, Equatable {
        /// As the channel is configured (30 s).
        case standard
        case none
    }

    private let key: String
    private let body: RequestBody

    /// Nil if the request is no valid handshake; GET and POST without a body are taken, as the original service does.
    public init?(request: Request) {
        guard Self.mayUpgrade(request.head), request.headers[.secWebSocketVersion] == "13",
            let key = request.headers[.secWebSocketKey], Data(base64Encoded: key)?.count == 16
        else { return nil }
        self.key = key
        self.body = request.body
        self.offeredProtocols = request.headers[values: .secWebSocketProtocol].flatMap { $0.split(separator: ",") }
            .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }

    /// The first offered subprotocol that is among `known`.
    public func choose(_ known: [String]) -> String? {
        offeredProtocols.first(where: known.contains)
    }

    /// The response that opens the session. `session` runs as the response's body; when it returns, the session is closed with 1000,
    /// when it throws, with 1011.
    /// - Parameters:
    ///   - subprotocol: one of ``offeredProtocols``, or nil for none.
    ///   - headers: further fields of the 101 response.
    ///   - heartbeat: the interval of pings; nil for none; absent: the channel's own.
    ///   - maxMessage: the longest message and frame in bytes, in place of the channel's own.
    ///   - logger: is told what `session` threw, unless it was the connection's end.
    public func accept(
        subprotocol: String? = nil, headers: HTTPFields = [:], heartbeat: Heartbeat = .standard, maxMessage: Int? = nil,
        logger: Logger? = nil, _ session: @escaping @Sendable (WebSocketSession) async throws -> Void
    ) -> Response {
        var fields = headers
        fields[.upgrade] = "websocket"
        fields[.connection] = "Upgrade"
        fields[.secWebSocketAccept] = Self.acceptance(of: key)
        if let subprotocol { fields[.secWebSocketProtocol] = subprotocol }
        // Told before the answer, with which the channel begins to read frames.
        if let maxMessage { ServerConnection.current?.set(maxMessage: maxMessage) }
        let requestBody = body
        let body = ResponseBody { writer in
            guard let connection = ServerConnection.current else { throw WebSocketError.noConnection }
            let open = WebSocketSession(
                inbound: WebSocketInbound(.request(requestBody), outcome: connection.outcome), channel: connection.channel,
                outcome: connection.outcome)
            connection.set(heartbeat: heartbeat)
            await open.run(session, logger: logger)
            try await writer.finish(nil)
        }
        return Response(status: .switchingProtocols, headers: fields, body: body)
    }

    /// RFC 6455 §4.2.2 step 5.4.
    static func acceptance(of key: String) -> String {
        let digest = Insecure.SHA1.hash(data: Data((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))
        return Data(digest).base64EncodedString()
    }

    /// Whether the head asks for a WebSocket: the part of the check that the channel makes too, before the route sees the request.
    static func mayUpgrade(_ head: HTTPRequest) -> Bool {
        let fields = head.headerFields
        return (head.method == .get || head.method == .post) && fields.lists(.upgrade, "websocket") && fields.lists(.connection, "upgrade")
            && (fields[.contentLength] ?? "0") == "0" && fields[.transferEncoding] == nil
    }
}

extension WebSocketSession {
    /// Runs the holder's part and starts the close handshake after it.
    func run(_ body: @Sendable (WebSocketSession) async throws -> Void, logger: Logger?) async {
        do {
            try await body(self)
            try? await close(code: .normal)
        } catch is CancellationError {
            // The close frame must go out although this task may not wait any more; the channel bounds the rest.
            closeDetached(code: .goingAway)
        } catch is WebSocketError {
            try? await close(code: .normal)
        } catch {
            logger?.error("WebSocket session failed", metadata: ["error": "\(error)"])
            try? await close(code: .internalError)
        }
    }
}

extension HTTPFields {
    /// Whether a comma-separated field holds `token`, whatever its case.
    func lists(_ name: HTTPField.Name, _ token: String) -> Bool {
        self[values: name].contains { value in
            value.split(separator: ",").contains { $0.trimmingCharacters(in: .whitespaces).lowercased() == token }
        }
    }
}
