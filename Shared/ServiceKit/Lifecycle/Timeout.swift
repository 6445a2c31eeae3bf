import Synchronization

/// The body did not finish in time.
public struct TimeoutError: Error, Sendable {
    /// The limit that passed.
    public let limit: Duration
}

/// Runs `body`, cancelled after `limit`; nil is no limit.
/// - Parameter executor: where it runs, if not where the caller does.
/// - Throws: ``TimeoutError`` when the limit passed, else what `body` throws. A body that ignores its cancellation is waited for.
public func withTimeout<T: Sendable>(
    _ limit: Duration?, on executor: (any TaskExecutor)? = nil, _ body: @escaping @Sendable () async throws -> T
) async throws -> T {
    guard let limit else { return try await withTaskExecutorPreference(executor) { try await body() } }
    return try await withThrowingTaskGroup(of: T.self) { group in
        // Not a second task that sleeps: a sleep that was cancelled keeps its timer until the limit has passed, and under load that is
        // hundreds of thousands of them.
        let race = Race()
        let work: @Sendable () async throws -> T = {
            defer { race.end(.finished) }
            return try await body()
        }
        // Not as an immediate task: that one does not take over the executor that its parent prefers.
        if let executor { group.addTask(executorPreference: executor, operation: work) } else { group.addTask(operation: work) }
        let alarm = AlarmClock.shared.set(after: limit) { race.end(.late) }
        let result = await race.result()
        AlarmClock.shared.forget(alarm)
        if result == .late {
            group.cancelAll()
            _ = await group.nextResult()
            throw TimeoutError(limit: limit)
        }
        guard let value = try await group.next() else { throw CancellationError() }
        return value
    }
}

/// Which of two came first.
private final class Race: Sendable {
    enum Result: Sendable {
        case finished, late
    }

    private enum State {
        case running
        case awaited(CheckedContinuation<Result, Never>)
        case ended(Result)
    }

    private let state = Mutex(State.running)

    func end(_ result: Result) {
        let waiter: CheckedContinuation<Result, Never>? = state.withLock { state in
            switch state {
            case .running:
                state = .ended(result)
                return nil
            case .awaited(let waiter):
                state = .ended(result)
                return waiter
            case .ended: return nil
            }
        }
        waiter?.resume(returning: result)
    }

    /// For one caller, once.
    func result() async -> Result {
        await withCheckedContinuation { continuation in
            let ended: Result? = state.withLock { state in
                if case .ended(let result) = state { return result }
                state = .awaited(continuation)
                return nil
            }
            if let ended { continuation.resume(returning: ended) }
        }
    }
}
