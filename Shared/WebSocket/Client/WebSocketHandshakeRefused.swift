public import HTTPTypes
public import NIOCore

/// The server answered the handshake with something else than 101.
public struct WebSocketHandshakeRefused: Error, Sendable {
    /// The response's status code.
    public let status: Int
    public let headers: HTTPFields
    /// The beginning of the response's body, at most 64 KiB.
    public let body: ByteBuffer
}
