/// What a pool is doing, for readiness bodies and metrics.
public struct PostgresPoolState: Sendable, Equatable {
    /// Connections in use.
    public var lent: Int
    /// Open connections that nobody uses.
    public var idle: Int
    /// Connections being opened, waits between attempts included.
    public var opening: Int
    /// Callers that wait for a connection.
    public var waiting: Int
    /// The most connections there may be.
    public var maximum: Int
    /// Why the newest attempt to connect failed; nil once one succeeded.
    public var lastError: String?
}
