/// What can go wrong between a caller and Redis.
public enum RedisError: Error, Sendable, Equatable {
    /// No connection could be had in time, or it broke. `mayHaveRun` tells whether the command had been sent: if so, nobody knows whether
    /// Redis carried it out, and only a command that may run twice can be repeated.
    case unavailable(String, mayHaveRun: Bool)
    /// The command was sent and not answered within ``RedisConfiguration/commandTimeout``; it may have run.
    case timedOut
    /// Redis refused the command; the text is its own (`WRONGTYPE …`, `NOSCRIPT …`).
    case server(String)
    /// The connection URL cannot be understood.
    case invalidConfiguration(String)
    /// The client was shut down.
    case closed
}

extension RedisError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unavailable(let reason, let mayHaveRun):
            "Redis is unavailable: \(reason)" + (mayHaveRun ? " (the command may have run)" : "")
        case .timedOut: "Redis did not answer in time (the command may have run)"
        case .server(let text): "Redis answered: \(text)"
        case .invalidConfiguration(let reason): reason
        case .closed: "the Redis client was shut down"
        }
    }
}
