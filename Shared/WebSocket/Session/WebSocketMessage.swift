public import NIOCore

/// One whole message of a WebSocket session (RFC 6455 §5.6), fragments already joined.
public enum WebSocketMessage: Sendable, Equatable {
    /// Text; its UTF-8 has been checked.
    case text(String)
    /// Bytes.
    case binary(ByteBuffer)
}

/// The status a session ends with (RFC 6455 §7.4.1).
public struct WebSocketCloseCode: RawRepresentable, Sendable, Hashable {
    public let rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// 1000: the purpose of the session is fulfilled.
    public static let normal = WebSocketCloseCode(rawValue: 1000)
    /// 1001: this end goes away, e.g. a service that shuts down.
    public static let goingAway = WebSocketCloseCode(rawValue: 1001)
    /// 1002: the other end broke the protocol.
    public static let protocolError = WebSocketCloseCode(rawValue: 1002)
    /// 1003: a kind of data that this end cannot take.
    public static let unsupportedData = WebSocketCloseCode(rawValue: 1003)
    /// 1007: text that is not UTF-8.
    public static let invalidPayload = WebSocketCloseCode(rawValue: 1007)
    /// 1008: against the rules of this end.
    public static let policyViolation = WebSocketCloseCode(rawValue: 1008)
    /// 1009: a frame or message beyond the limits.
    public static let messageTooBig = WebSocketCloseCode(rawValue: 1009)
    /// 1011: this end failed.
    public static let internalError = WebSocketCloseCode(rawValue: 1011)
    /// 1012: this end restarts.
    public static let serviceRestart = WebSocketCloseCode(rawValue: 1012)
    /// 1013: try again later.
    public static let tryAgainLater = WebSocketCloseCode(rawValue: 1013)

    /// Codes that may stand in a close frame; 1004–1006 and 1015 may not.
    var mayBeSent: Bool {
        switch rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}

/// What a close frame said.
public struct WebSocketClose: Sendable, Equatable {
    /// Nil if the frame carried no code.
    public let code: WebSocketCloseCode?
    /// At most 123 bytes of UTF-8; for people and logs.
    public let reason: String

    public init(code: WebSocketCloseCode?, reason: String = "") {
        self.code = code
        self.reason = reason
    }
}

/// Why a session cannot go on.
public enum WebSocketError: Error, Sendable, Equatable {
    /// The session is over in an orderly way (a close frame was sent or received); nothing can be sent any more.
    case closed
    /// The connection broke without a close frame.
    case connectionLost
    /// The other end broke the protocol; it was told so with this code.
    case violation(WebSocketCloseCode, String)
    /// The response was not given through the platform's server channel.
    case noConnection
    /// The client was given an address it cannot use.
    case invalidURL(String)
    /// The server answered the handshake with something that RFC 6455 §4.1 forbids.
    case badHandshake(String)
    /// Connecting or the handshake took longer than the caller allows.
    case handshakeTimedOut
}
