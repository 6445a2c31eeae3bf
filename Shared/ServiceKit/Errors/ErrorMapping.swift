import AsyncHTTPClient
import Hummingbird
import NIOCore
import NIOPosix
import Postgres
import Redis

/// The one mapping from any error to an answer.
public enum ErrorMapping {
    /// Whether the same may succeed later: a dependency is away or overloaded.
    public static func isPassing(_ error: any Error) -> Bool {
        !(error is CancellationError) && answer(error).error.status == .serviceUnavailable
    }

    /// The answer for an error, and whether its detail belongs into the log (the caller never sees it).
    static func answer(_ error: any Error) -> (error: PlatformError, log: Bool) {
        switch error {
        case let error as PlatformError: (error, error.status.code >= 500)
        case let error as any PlatformErrorConvertible: (error.platformError, error.platformError.status.code >= 500)
        case let error as HTTPError:
            (PlatformError(error.status, error.body ?? error.status.reasonPhrase, headers: error.headers), error.status.code >= 500)
        case is NIOTooManyBytesError: (PlatformError(.contentTooLarge, "The body is larger than this route accepts."), false)
        case PostgresError.invalidParameter: (.badRequest("A text must not contain the NUL character."), false)
        case is CancellationError: (.unavailable("The request was stopped; try again."), false)
        case _ where isAway(error): (.unavailable("A service this one depends on does not answer; try again."), true)
        default: (PlatformError(.internalServerError, "Internal server error"), true)
        }
    }

    /// A dependency that does not answer now and may soon.
    static func isAway(_ error: any Error) -> Bool {
        switch error {
        case let error as PostgresError: isAway(error)
        case let error as RedisError: isAway(error)
        case let error as HTTPClientError: transient.contains(error)
        case is NIOConnectionError: true
        case ChannelError.connectTimeout, ChannelError.ioOnClosedChannel, ChannelError.eof: true
        case is IOError: true
        default: false
        }
    }

    private static let transient: [HTTPClientError] = [
        .connectTimeout, .readTimeout, .writeTimeout, .deadlineExceeded, .getConnectionFromPoolTimeout, .remoteConnectionClosed,
    ]

    private static func isAway(_ error: PostgresError) -> Bool {
        switch error {
        case .unavailable, .poolExhausted, .timedOut, .closed: true
        // Shutting down, starting, too many connections; serialization failure, deadlock, lock not available: a repeat may succeed.
        case .server(let error): ["57P01", "57P02", "57P03", "53300", "40001", "40P01", "55P03"].contains(error.sqlState)
        default: false
        }
    }

    private static func isAway(_ error: RedisError) -> Bool {
        if case .unavailable = error { return true }
        if error == .timedOut || error == .closed { return true }
        guard case .server(let text) = error else { return false }
        // Loading its data, or a replica in a fail-over.
        return ["LOADING", "READONLY", "MASTERDOWN", "TRYAGAIN", "CLUSTERDOWN"].contains { text.hasPrefix($0) }
    }
}
