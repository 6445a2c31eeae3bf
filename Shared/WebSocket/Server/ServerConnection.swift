public import NIOCore

/// The connection that the current request came in on. Bound for the whole task that serves it, so that a response's body reaches the channel
/// without it being handed through every route.
public struct ServerConnection: Sendable {
    /// Nil outside the platform's server channel.
    @TaskLocal public static var current: ServerConnection?

    public let channel: any Channel
    let outcome: WebSocketOutcome
    /// Bytes are encrypted by the process, so nothing can be sent by the kernel.
    var isSecure = false

    func set(maxMessage bytes: Int) {
        channel.triggerUserOutboundEvent(ServerConnectionHandler.MaxMessage(bytes: bytes), promise: nil)
    }

    func set(heartbeat: WebSocketUpgrade.Heartbeat) {
        if heartbeat == .none { channel.triggerUserOutboundEvent(WebSocketHandler.StopHeartbeat(), promise: nil) }
    }
}
