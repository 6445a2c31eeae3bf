import Logging
import NIOConcurrencyHelpers
import NIOCore

/// Keeps one connection alive: opens it on first demand, opens it again with a growing pause after it broke, and lets callers wait for it.
/// Driven by the event loop alone, so that a client works before its service runs.
final class ConnectionKeeper: @unchecked Sendable {
    private enum State {
        case idle
        /// Connecting, or pausing before the next attempt.
        case opening(reason: String)
        case open(RedisConnection)
        case closed
    }
    private struct Storage {
        var state = State.idle
        var waiters: [Int: CheckedContinuation<RedisConnection, any Error>] = [:]
        var nextWaiter = 0
        var failures = 0
    }

    private let connector: Connector
    private let waitLimit: TimeAmount
    private let logger: Logger
    private let storage = NIOLockedValueBox(Storage())
    private var eventLoop: any EventLoop { connector.eventLoop }

    init(connector: Connector, waitLimit: TimeAmount, logger: Logger) {
        self.connector = connector
        self.waitLimit = waitLimit
        self.logger = logger
    }

    deinit {
        close()
    }

    /// The connection if it is open: the way of nearly every command.
    var current: RedisConnection? {
        storage.withLockedValue { storage in
            if case .open(let connection) = storage.state { return connection }
            return nil
        }
    }

    /// The open connection, awaited for at most until `deadline`.
    func connection(until deadline: NIODeadline) async throws -> RedisConnection {
        if let current { return current }
        let ticket = storage.withLockedValue { storage in
            storage.nextWaiter += 1
            return storage.nextWaiter
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                enlist(continuation, as: ticket, until: deadline)
                if Task.isCancelled { dismiss(ticket, with: CancellationError()) }
            }
        } onCancel: {
            dismiss(ticket, with: CancellationError())
        }
    }

    /// Starts connecting, if nobody has yet.
    func open() {
        let start = storage.withLockedValue { storage in
            guard case .idle = storage.state else { return false }
            storage.state = .opening(reason: "not yet connected")
            return true
        }
        if start { attempt() }
    }

    func close() {
        let (connection, waiters) = storage.withLockedValue { storage in
            var connection: RedisConnection?
            if case .open(let open) = storage.state { connection = open }
            storage.state = .closed
            defer { storage.waiters = [:] }
            return (connection, storage.waiters)
        }
        connection?.close(reason: "the client was shut down")
        for waiter in waiters.values { waiter.resume(throwing: RedisError.closed) }
    }

    private func enlist(_ continuation: CheckedContinuation<RedisConnection, any Error>, as ticket: Int, until deadline: NIODeadline) {
        enum Verdict {
            case go(RedisConnection), wait(start: Bool), closed
        }
        let verdict: Verdict = storage.withLockedValue { storage in
            switch storage.state {
            case .open(let connection): return .go(connection)
            case .closed: return .closed
            case .opening:
                storage.waiters[ticket] = continuation
                return .wait(start: false)
            case .idle:
                storage.waiters[ticket] = continuation
                storage.state = .opening(reason: "not yet connected")
                return .wait(start: true)
            }
        }
        switch verdict {
        case .go(let connection): continuation.resume(returning: connection)
        case .closed: continuation.resume(throwing: RedisError.closed)
        case .wait(let start):
            eventLoop.scheduleTask(deadline: deadline) { [weak self] in self?.giveUp(ticket) }
            if start { attempt() }
        }
    }

    private func giveUp(_ ticket: Int) {
        let reason = storage.withLockedValue { storage in
            if case .opening(let reason) = storage.state { return reason }
            return "no connection in time"
        }
        dismiss(ticket, with: RedisError.unavailable(reason, mayHaveRun: false))
    }

    private func dismiss(_ ticket: Int, with error: any Error) {
        storage.withLockedValue { $0.waiters.removeValue(forKey: ticket) }?.resume(throwing: error)
    }

    private func attempt() {
        connector.connect { [weak self] connection, reason in self?.lost(connection, reason) }
            .whenComplete { [weak self] result in
                guard let self else {
                    if case .success(let connection) = result { connection.close(reason: "the client is gone") }
                    return
                }
                switch result {
                case .success(let connection): opened(connection)
                case .failure(let error): failed("\(error)")
                }
            }
    }

    private func opened(_ connection: RedisConnection) {
        let waiters: [Int: CheckedContinuation<RedisConnection, any Error>]? = storage.withLockedValue { storage in
            guard case .opening = storage.state else { return nil }
            storage.state = .open(connection)
            storage.failures = 0
            defer { storage.waiters = [:] }
            return storage.waiters
        }
        guard let waiters else { return connection.close(reason: "the client was shut down") }
        logger.debug("connected to Redis")
        for waiter in waiters.values { waiter.resume(returning: connection) }
    }

    private func lost(_ connection: RedisConnection, _ reason: String) {
        let ours = storage.withLockedValue { storage in
            guard case .open(let open) = storage.state, open === connection else { return false }
            storage.state = .opening(reason: reason)
            return true
        }
        guard ours else { return }
        logger.warning("lost the connection to Redis", metadata: ["reason": "\(reason)"])
        attempt()
    }

    private func failed(_ reason: String) {
        let pause: TimeAmount? = storage.withLockedValue { storage in
            guard case .opening = storage.state else { return nil }
            storage.state = .opening(reason: reason)
            storage.failures += 1
            if storage.failures == 1 { logger.warning("cannot connect to Redis", metadata: ["reason": "\(reason)"]) }
            // 50 ms, doubling to 1.6 s, a quarter of it by chance, so that replicas do not return in step.
            let base = 50 << min(storage.failures - 1, 5)
            return .milliseconds(Int64(base + Int.random(in: 0...(base / 4))))
        }
        guard let pause else { return }
        eventLoop.scheduleTask(in: pause) { [weak self] in
            guard let self else { return }
            if case .opening = storage.withLockedValue({ $0.state }) { attempt() }
        }
    }
}
