import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// A client with one pipelined connection, shared by all tasks of the process. While Redis is away, commands wait for it up to
/// ``RedisConfiguration/waitLimit``; a command that was in flight when the connection broke fails with `mayHaveRun: true`.
///
/// Works before ``run()`` and without it; `run` only ties the connection's life to the service group's.
public final class RedisClient: Service, Sendable {
    public let configuration: RedisConfiguration
    private let keeper: ConnectionKeeper
    private let waitLimit: TimeAmount
    private let commandTimeout: TimeAmount

    public init(_ configuration: RedisConfiguration, logger: Logger) {
        self.configuration = configuration
        waitLimit = TimeAmount(configuration.waitLimit)
        commandTimeout = TimeAmount(configuration.commandTimeout)
        keeper = ConnectionKeeper(
            connector: Connector(configuration: configuration, eventLoop: MultiThreadedEventLoopGroup.singleton.next()),
            waitLimit: waitLimit, logger: logger)
    }

    /// Keeps the connection until graceful shutdown.
    public func run() async throws {
        keeper.open()
        try? await gracefulShutdown()
        keeper.close()
    }

    /// Closes the connection at once; commands fail from now on.
    public func close() {
        keeper.close()
    }

    /// One command. An empty or refused command throws ``RedisError/server(_:)``.
    @discardableResult
    public func send(_ command: String, _ arguments: [RedisArgument] = []) async throws -> RedisValue {
        try await single([RedisArgument(command)] + arguments)
    }

    /// The connection that commands go to now; nil while there is none. A caller that has learned something about the server (its role, its
    /// run id) can tie later commands to the connection it learned it on: a restarted or replaced server is always another connection.
    public var connectionID: Int? { keeper.current?.id }

    /// Several commands, written together; the replies in their order. A refusal is an ``RedisValue/error(_:)`` among them.
    /// - Parameter connection: a ``connectionID``; when it is no longer that one, ``RedisError/unavailable(_:mayHaveRun:)`` at once.
    public func pipeline(_ commands: [[RedisArgument]], connection: Int? = nil) async throws -> [RedisValue] {
        guard !commands.isEmpty else { return [] }
        var bytes = ByteBuffer()
        for command in commands { try CommandFormatter.append(command, to: &bytes) }
        return try await exchange(bytes, replies: commands.count, connection: connection)
    }

    /// Runs a script by its digest; a server that does not know it (restarted, flushed) gets the source.
    /// - Parameter connection: as in ``pipeline(_:connection:)``.
    public func evaluate(
        _ script: RedisScript, keys: [String], arguments: [RedisArgument], connection: Int? = nil
    ) async throws -> RedisValue {
        let rest = [RedisArgument(keys.count)] + keys.map { RedisArgument($0) } + arguments
        do {
            return try await single(["EVALSHA", RedisArgument(script.sha)] + rest, connection: connection)
        } catch RedisError.server(let text) where text.hasPrefix("NOSCRIPT") {
            return try await single(["EVAL", RedisArgument(script.source)] + rest, connection: connection)
        }
    }

    /// Whether Redis answers now; does not wait for one that is away.
    public func ping() async -> Bool {
        guard let connection = keeper.current else {
            keeper.open()
            return false
        }
        let reply = try? await Self.exchange(
            ByteBuffer(string: "PING\r\n"), replies: 1, on: connection, deadline: .now() + .seconds(2))
        return reply?.first?.string == "PONG"
    }

    private func single(_ words: [RedisArgument], connection: Int? = nil) async throws -> RedisValue {
        var bytes = ByteBuffer()
        try CommandFormatter.append(words, to: &bytes)
        let replies = try await exchange(bytes, replies: 1, connection: connection)
        if case .error(let text) = replies[0] { throw RedisError.server(text) }
        return replies[0]
    }

    private func exchange(_ bytes: ByteBuffer, replies: Int, connection wanted: Int? = nil) async throws -> [RedisValue] {
        let patience = NIODeadline.now() + waitLimit
        while true {
            var connection = keeper.current
            if let wanted, connection?.id != wanted {
                throw RedisError.unavailable("the connection was replaced", mayHaveRun: false)
            }
            if connection == nil { connection = try await keeper.connection(until: patience) }
            guard let connection else { throw RedisError.closed }
            do {
                return try await Self.exchange(bytes, replies: replies, on: connection, deadline: .now() + commandTimeout)
            } catch RedisError.unavailable(let reason, mayHaveRun: false) {
                // It never left this process, so it can wait for the next connection.
                if NIODeadline.now() >= patience { throw RedisError.unavailable(reason, mayHaveRun: false) }
                await Task.yield()
            }
        }
    }

    private static func exchange(
        _ bytes: ByteBuffer, replies: Int, on connection: RedisConnection, deadline: NIODeadline
    ) async throws -> [RedisValue] {
        try await withCheckedThrowingContinuation { continuation in
            connection.submit(Submission(bytes: bytes, replies: replies, deadline: deadline) { continuation.resume(with: $0) })
        }
    }
}
