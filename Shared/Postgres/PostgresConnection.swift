import CLibpq
import Collections
import Dispatch
import Logging

/// One connection to a server: non-blocking libpq on a queue of its own. Calls are answered one after the other. A call whose task is
/// cancelled asks the server to stop the statement, and the next call starts only when that request cannot hit it any more.
public actor PostgresConnection {
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    nonisolated let executor: QueueExecutor
    nonisolated let handle: ConnectionHandle
    nonisolated let configuration: PostgresConfiguration
    let logger: Logger

    /// Why the connection is no more.
    var failure: PostgresError?
    /// The statement in flight.
    var running: RunningStatement?
    var lastStatement = 0
    /// Calls that wait for the one in flight.
    private var isBusy = false
    private var line: Deque<CheckedContinuation<Void, Never>> = []
    private var waiter: CheckedContinuation<Void, Never>?
    private var timerAt: DispatchTime?
    private static let lookInterval = DispatchTimeInterval.milliseconds(250)
    private var streams: [Int: AsyncThrowingStream<PostgresNotification, any Error>.Continuation] = [:]
    private var streamChannels: [Int: Set<String>] = [:]
    private var lastStream = 0

    init(handle: ConnectionHandle, executor: QueueExecutor, configuration: PostgresConfiguration, logger: Logger) {
        self.handle = handle
        self.executor = executor
        self.configuration = configuration
        self.logger = logger
    }

    /// Opens a connection outside any pool, for `LISTEN`, leases and migrations. One attempt, bounded by the configuration's connect timeout.
    /// - Throws: `PostgresError.unavailable`.
    public static func connect(_ configuration: PostgresConfiguration, logger: Logger) async throws -> PostgresConnection {
        let opening = PostgresHandshake(configuration: configuration)
        let handle = try await opening.run()
        let connection = PostgresConnection(handle: handle, executor: opening.executor, configuration: configuration, logger: logger)
        await connection.startReading()
        return connection
    }

    /// False once the connection broke or was closed; an idle connection notices that its server went away by itself.
    public nonisolated var isUsable: Bool { handle.isUsable }

    /// The rows of a statement.
    public func query(_ query: PostgresQuery) async throws -> [PostgresRow] {
        try await perform(.parameterized(try query.rendered(), readOnly: query.isReadOnly)).last?.rows ?? []
    }

    /// Runs a statement and counts the rows it touched.
    @discardableResult
    public func execute(_ query: PostgresQuery) async throws -> Int {
        try await perform(.parameterized(try query.rendered(), readOnly: query.isReadOnly)).last?.affected ?? 0
    }

    /// Runs one or several statements without parameters. The server treats several as one transaction.
    public func run(script: String) async throws { _ = try await perform(.script(script)) }

    /// Closes the connection; a call in flight fails with `PostgresError.closed`.
    public func close() { fail(with: .closed) }

    /// Listens on channels until the stream's consumer goes away. Listening has begun when this returns. The stream throws when the
    /// connection breaks: whatever was announced from then on is lost, so look for yourself after connecting anew.
    public func notifications(on channels: [String]) async throws -> AsyncThrowingStream<PostgresNotification, any Error> {
        if let failure { throw failure }
        let (stream, continuation) = AsyncThrowingStream<PostgresNotification, any Error>.makeStream(
            bufferingPolicy: .bufferingNewest(10_000))
        lastStream += 1
        let id = lastStream
        streams[id] = continuation
        streamChannels[id] = Set(channels)
        continuation.onTermination = { [weak self, executor] _ in
            executor.queue.async { [weak self] in self?.assumeIsolated { $0.forget(stream: id) } }
        }
        do {
            for channel in channels { try await run(script: "LISTEN \(Self.quoted(channel))") }
        } catch {
            continuation.finish(throwing: error)
            throw error
        }
        return stream
    }

    /// A name as SQL wants it, whatever it holds.
    static func quoted(_ identifier: String) -> String { "\"" + identifier.replacing("\"", with: "\"\"") + "\"" }

    private func forget(stream id: Int) {
        streams[id] = nil
        streamChannels[id] = nil
    }
}

// MARK: - Turns, events, time

extension PostgresConnection {
    func takeTurn() async {
        if !isBusy {
            isBusy = true
        } else {
            await withCheckedContinuation { line.append($0) }
        }
    }

    func giveTurn() {
        if let next = line.popFirst() { next.resume() } else { isBusy = false }
    }

    /// Suspends until something happened: data, a deadline, the end of the connection.
    func nextEvent() async {
        if failure == nil { await withCheckedContinuation { waiter = $0 } }
    }

    func wake() {
        waiter?.resume()
        waiter = nil
    }

    /// One pending timer a connection, whatever the number of statements: it looks at the deadline of the statement in flight, and whether
    /// its answer is there although no event told of it, and sleeps on.
    func armTimer() {
        // A connection that has failed needs no reminder: its deadline lies in the past, and would ring again at once.
        guard failure == nil, let deadline = running?.deadline else { return }
        let next = min(deadline, .now() + Self.lookInterval)
        if let timerAt, timerAt <= next { return }
        timerAt = next
        executor.queue.asyncAfter(deadline: next) { [weak self] in self?.assumeIsolated { $0.timerFired(next) } }
    }

    private func timerFired(_ time: DispatchTime) {
        guard timerAt == time else { return }
        timerAt = nil
        guard let deadline = running?.deadline else { return }
        if deadline <= .now() { deadlinePassed() } else { look() }
        armTimer()
    }

    /// Answers have been seen to lie in the socket or in libpq until the deadline rang, once in some thousand new connections.
    private func look() {
        guard failure == nil, waiter != nil, running?.isCancelling != true else { return }
        let lay = PQisBusy(handle.connection) == 0
        consume()
        guard failure != nil || PQisBusy(handle.connection) == 0 else { return }
        logger.debug("An answer was found that no event told of", metadata: ["taken": "\(lay)"])
        wake()
    }

    func startReading() {
        let isReading = handle.startReading(on: executor.queue) { [weak self] in self?.assumeIsolated { $0.readable() } }
        if !isReading { fail(with: .unavailable(reason: "the connection has no socket to read from", mayHaveRun: false)) }
    }

    private func readable() {
        guard failure == nil else { return }
        consume()
        wake()
    }

    /// Takes in what has arrived; learns here that the server is gone.
    func consume() {
        if PQconsumeInput(handle.connection) == 0 {
            return fail(with: .unavailable(reason: handle.message, mayHaveRun: false))
        }
        while let notice = PQnotifies(handle.connection) {
            deliver(PostgresNotification(channel: String(cString: notice.pointee.relname), payload: String(cString: notice.pointee.extra)))
            PQfreemem(notice)
        }
    }

    private func deliver(_ notification: PostgresNotification) {
        for (id, stream) in streams where streamChannels[id]?.contains(notification.channel) == true { stream.yield(notification) }
    }

    func fail(with error: PostgresError) {
        if failure != nil { return }
        failure = error
        handle.release()
        for stream in streams.values { if error == .closed { stream.finish() } else { stream.finish(throwing: error) } }
        streams = [:]
        wake()
    }
}
