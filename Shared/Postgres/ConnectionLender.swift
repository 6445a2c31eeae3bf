import Collections
import Dispatch
import Logging
import Synchronization

/// The book of a pool: who has which connection, who waits. Waiters are served in order, each for at most the wait limit.
final class ConnectionLender: Sendable {
    enum Grant: Sendable {
        case connection(PostgresConnection)
        /// The right to open one.
        case slot
        case tooLate
        case cancelled
    }
    struct Waiter {
        let id: Int
        let deadline: DispatchTime
        let continuation: CheckedContinuation<Grant, Never>
    }
    struct Book {
        var idle: Deque<(connection: PostgresConnection, since: ContinuousClock.Instant)> = []
        var lent = 0
        var opening = 0
        var waiters: Deque<Waiter> = []
        var lastWaiter = 0
        var cancelledEarly: Set<Int> = []
        var isTimerSet = false
        var isDraining = false
        var lastError: String?
    }

    let configuration: PostgresConfiguration
    let logger: Logger
    private let book = Mutex(Book())
    private let queue = DispatchQueue(label: "orrery.postgres.pool")

    init(_ configuration: PostgresConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    deinit { drain() }

    var snapshot: PostgresPoolState {
        book.withLock {
            PostgresPoolState(
                lent: $0.lent, idle: $0.idle.count, opening: $0.opening, waiting: $0.waiters.count,
                maximum: configuration.maximumConnections, lastError: $0.lastError)
        }
    }

    /// - Throws: `PostgresError.unavailable` after an outage that outlasted the wait limit, `.poolExhausted` when nobody gave one back.
    func lend() async throws -> PostgresConnection {
        let deadline = ContinuousClock.now + configuration.waitLimit
        try Task.checkCancellation()
        switch await grant() {
        case .connection(let connection): return connection
        case .slot: return try await open(until: deadline)
        case .cancelled: throw CancellationError()
        case .tooLate:
            if let reason = book.withLock({ $0.lastError }) { throw PostgresError.unavailable(reason: reason, mayHaveRun: false) }
            throw PostgresError.poolExhausted
        }
    }

    func takeBack(_ connection: PostgresConnection) {
        let (grant, waiter, closing) = book.withLock { book -> (Grant, Waiter?, Bool) in
            book.lent -= 1
            let isGood = connection.isUsable && !book.isDraining
            guard let waiter = book.waiters.popFirst() else {
                if isGood { book.idle.append((connection, .now)) }
                return (.slot, nil, !isGood)
            }
            if isGood { book.lent += 1 } else { book.opening += 1 }
            return (isGood ? .connection(connection) : .slot, waiter, !isGood)
        }
        if closing { close([connection]) }
        waiter?.continuation.resume(returning: grant)
    }

    func closeIdle(olderThan limit: Duration) {
        let oldest = ContinuousClock.now - limit
        let doomed = book.withLock { book in
            let doomed = book.idle.filter { $0.since < oldest || !$0.connection.isUsable }
            book.idle.removeAll { $0.since < oldest || !$0.connection.isUsable }
            return doomed.map(\.connection)
        }
        close(doomed)
    }

    func drain() {
        let doomed = book.withLock { book in
            book.isDraining = true
            defer { book.idle = [] }
            return book.idle.map(\.connection)
        }
        close(doomed)
    }

    private func close(_ connections: [PostgresConnection]) {
        for connection in connections {
            connection.executor.queue.async { connection.assumeIsolated { $0.fail(with: .closed) } }
        }
    }
}

// MARK: - Waiting

extension ConnectionLender {
    private func grant() async -> Grant {
        let id = book.withLock { book in
            book.lastWaiter += 1
            return book.lastWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if let grant = immediate(id, continuation) { continuation.resume(returning: grant) }
            }
        } onCancel: {
            let waiter = book.withLock { book -> Waiter? in
                guard let place = book.waiters.firstIndex(where: { $0.id == id }) else {
                    book.cancelledEarly.insert(id)
                    return nil
                }
                return book.waiters.remove(at: place)
            }
            waiter?.continuation.resume(returning: .cancelled)
        }
    }

    private func immediate(_ id: Int, _ continuation: CheckedContinuation<Grant, Never>) -> Grant? {
        book.withLock { book in
            if book.cancelledEarly.remove(id) != nil { return .cancelled }
            // The newest first, so that those not needed grow old.
            while let (connection, _) = book.idle.popLast() {
                if connection.isUsable {
                    book.lent += 1
                    return .connection(connection)
                }
            }
            if book.lent + book.opening < configuration.maximumConnections {
                book.opening += 1
                return .slot
            }
            book.waiters.append(Waiter(id: id, deadline: .now() + configuration.waitLimit.dispatch, continuation: continuation))
            setTimer(&book)
            return nil
        }
    }

    /// All wait equally long, so the first in line is the first to be late: one timer does.
    private func setTimer(_ book: inout Book) {
        guard !book.isTimerSet, let first = book.waiters.first else { return }
        book.isTimerSet = true
        queue.asyncAfter(deadline: first.deadline) { [weak self] in self?.timerFired() }
    }

    private func timerFired() {
        let late = book.withLock { book -> [Waiter] in
            book.isTimerSet = false
            var late: [Waiter] = []
            while let first = book.waiters.first, first.deadline <= .now() {
                late.append(first)
                book.waiters.removeFirst()
            }
            setTimer(&book)
            return late
        }
        for waiter in late { waiter.continuation.resume(returning: .tooLate) }
    }
}

// MARK: - Opening

extension ConnectionLender {
    private func open(until deadline: ContinuousClock.Instant) async throws -> PostgresConnection {
        var pause = Duration.milliseconds(50)
        while true {
            do {
                try Task.checkCancellation()
                let connection = try await PostgresConnection.connect(configuration, logger: logger)
                book.withLock {
                    $0.opening -= 1
                    $0.lent += 1
                    $0.lastError = nil
                }
                return connection
            } catch {
                let failure = note(error)
                guard case .unavailable? = error as? PostgresError, ContinuousClock.now + pause < deadline, !Task.isCancelled else {
                    giveSlotBack()
                    throw Task.isCancelled ? CancellationError() : failure
                }
            }
            if let idle = swapForIdle() { return idle }
            try? await Task.sleep(for: pause * Double.random(in: 0.75...1.25))
            pause = min(pause * 2, .milliseconds(500))
        }
    }

    /// Somebody else may have got through meanwhile and be done already.
    private func swapForIdle() -> PostgresConnection? {
        book.withLock { book in
            while let (connection, _) = book.idle.popLast() {
                if connection.isUsable {
                    book.opening -= 1
                    book.lent += 1
                    return connection
                }
            }
            return nil
        }
    }

    private func note(_ error: any Error) -> any Error {
        guard case .unavailable(let reason, _)? = error as? PostgresError else { return error }
        let isNew = book.withLock { book in
            defer { book.lastError = reason }
            return book.lastError == nil
        }
        if isNew { logger.warning("The database cannot be reached", metadata: ["reason": "\(reason)"]) }
        return error
    }

    private func giveSlotBack() {
        let waiter = book.withLock { book -> Waiter? in
            book.opening -= 1
            guard let waiter = book.waiters.popFirst() else { return nil }
            book.opening += 1
            return waiter
        }
        waiter?.continuation.resume(returning: .slot)
    }
}
