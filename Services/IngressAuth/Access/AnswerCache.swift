import Synchronization

/// Answers of other services for a few seconds. Callers with the same question at the same time share one call; failures are not kept.
///
/// Bound: `capacity` entries, after which the expired and then all are dropped. Nothing ends an entry early: the lifetimes are short enough.
final class AnswerCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Entry {
        let value: Value
        let until: ContinuousClock.Instant
    }

    /// nil: the one that asked gave up, ask yourself.
    private typealias Shared = Result<Value, any Error>?

    private struct State {
        var entries: [Key: Entry] = [:]
        var asking: [Key: [CheckedContinuation<Shared, Never>]] = [:]
    }

    private enum Step {
        case known(Value)
        case ask
        case wait
    }

    private let state = Mutex(State())
    private let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    /// - Parameter lifetime: of an answer, by the answer.
    func value(
        for key: Key, lifetime: @Sendable (Value) -> Duration, ask: @Sendable () async throws -> Value
    ) async throws -> Value {
        while true {
            switch step(key) {
            case .known(let value): return value
            case .wait:
                switch await shared(key) {
                case .success(let value): return value
                case .failure(let error): throw error
                case nil: try Task.checkCancellation()
                }
            case .ask:
                do {
                    let value = try await ask()
                    finish(key, .success(value), lifetime: lifetime(value))
                    return value
                } catch {
                    finish(key, error is CancellationError || Task.isCancelled ? nil : .failure(error), lifetime: .zero)
                    throw error
                }
            }
        }
    }

    var count: Int { state.withLock { $0.entries.count } }

    private func step(_ key: Key) -> Step {
        let now = ContinuousClock.now
        return state.withLock { state in
            if let entry = state.entries[key] {
                if entry.until > now { return .known(entry.value) }
                state.entries[key] = nil
            }
            if state.asking[key] != nil { return .wait }
            state.asking[key] = []
            return .ask
        }
    }

    private func shared(_ key: Key) async -> Shared {
        await withCheckedContinuation { continuation in
            let isLate = state.withLock { state in
                guard state.asking[key] != nil else { return true }
                state.asking[key]?.append(continuation)
                return false
            }
            // The answer came between the two looks.
            if isLate { continuation.resume(returning: nil) }
        }
    }

    private func finish(_ key: Key, _ result: Shared, lifetime: Duration) {
        let now = ContinuousClock.now
        let waiting = state.withLock { state in
            if case .success(let value) = result, lifetime > .zero {
                if state.entries.count >= capacity {
                    state.entries = state.entries.filter { $0.value.until > now }
                    if state.entries.count >= capacity { state.entries.removeAll(keepingCapacity: true) }
                }
                state.entries[key] = Entry(value: value, until: now + lifetime)
            }
            return state.asking.removeValue(forKey: key) ?? []
        }
        for continuation in waiting { continuation.resume(returning: result) }
    }
}
