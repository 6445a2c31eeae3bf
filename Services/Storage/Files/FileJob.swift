import Synchronization

/// One call that somebody waits for. It holds what it is to work with until it is made or nobody waits for it any more: of a storage that hangs
/// much may be wanted.
final class FileJob<T: Sendable>: Sendable {
    typealias Body = @Sendable () throws -> T

    private enum State {
        case wanted(Body)
        case awaited(Body, CheckedContinuation<T, any Error>)
        case running(CheckedContinuation<T, any Error>)
        /// Before anybody waited.
        case ended(Result<T, any Error>)
        case over
    }

    private let state: Mutex<State>

    init(_ body: @escaping Body) { state = Mutex(.wanted(body)) }

    /// Tells one waiter, once, how it ended.
    func wait(_ continuation: CheckedContinuation<T, any Error>) {
        let ended: Result<T, any Error>? = state.withLock { state in
            switch state {
            case .wanted(let body): state = .awaited(body, continuation)
            case .ended(let result):
                state = .over
                return result
            case .awaited, .running, .over: preconditionFailure("A call has one waiter")
            }
            return nil
        }
        if let ended { continuation.resume(with: ended) }
    }

    /// Makes the call, unless it has ended already.
    func run() {
        let body: Body? = state.withLock { state in
            guard case .awaited(let body, let waiter) = state else { return nil }
            state = .running(waiter)
            return body
        }
        guard let body else { return }
        end(Result(catching: body))
    }

    /// The first end counts.
    func end(_ result: Result<T, any Error>) {
        let waiter: CheckedContinuation<T, any Error>? = state.withLock { state in
            switch state {
            case .wanted:
                state = .ended(result)
                return nil
            case .awaited(_, let waiter), .running(let waiter):
                state = .over
                return waiter
            case .ended, .over: return nil
            }
        }
        waiter?.resume(with: result)
    }
}
