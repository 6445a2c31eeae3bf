/// Limits of the platform's server channel.
public struct ServerChannelConfiguration: Sendable {
    /// A kept-alive connection without a request, and a request whose body does not come, are closed after this time.
    public var idleTimeout: Duration = .seconds(75)
    /// The heartbeat of WebSocket sessions; a session that stays silent for half of it after a ping is dropped.
    public var pingInterval: Duration = .seconds(30)
    /// How long the close handshake of a session may take before the connection is closed without it.
    public var closeTimeout: Duration = .seconds(5)
    /// The longest frame that is accepted, in bytes; a longer one ends the session with 1009.
    public var maxFrame = 4 << 20
    /// The longest message, all fragments together, in bytes.
    public var maxMessage = 4 << 20
    /// Bounds of a request's head, in bytes and in fields.
    public var maxHeaderBytes = 80 << 10
    public var maxHeaderFields = 200

    /// With a certificate the channel speaks TLS, and nothing else. Files are then copied through the process: the kernel cannot encrypt them.
    public var certificate: ServerCertificate?

    public init() {}
}
