import NIOPosix
import ServiceKit
import ServiceLifecycle
import Synchronization

/// Threads on which one storage's file system is waited for. A storage that hangs holds up its own threads and nobody else's, and who waits for
/// it can go away.
final class FileWork: Sendable {
    /// Work that waits for a thread; more is refused.
    private static let longestQueue = 2000

    private let threads: NIOThreadPool
    private let waiting = Atomic(0)

    init(threads count: Int) {
        threads = NIOThreadPool(numberOfThreads: count)
        threads.start()
    }

    /// Runs `body` on one of the threads.
    /// - Throws: what `body` throws; 503 when too much waits; `CancellationError` at once when cancelled, while a call that has begun goes on to
    ///   its end unheard.
    func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        guard waiting.wrappingAdd(1, ordering: .relaxed).newValue <= Self.longestQueue else {
            waiting.wrappingSubtract(1, ordering: .relaxed)
            throw PlatformError.unavailable("The storage is overloaded; try again.")
        }
        let answer = Answer<T>()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                answer.wait(continuation)
                threads.submit { [self] state in
                    waiting.wrappingSubtract(1, ordering: .relaxed)
                    guard case .active = state, !answer.isGiven else { return answer.give(.failure(CancellationError())) }
                    answer.give(Result(catching: body))
                }
            }
        } onCancel: {
            answer.give(.failure(CancellationError()))
        }
    }

    func stop() async { try? await threads.shutdownGracefully() }

    /// The first answer counts.
    private final class Answer<T: Sendable>: Sendable {
        private enum State {
            case empty
            case awaited(CheckedContinuation<T, any Error>)
            case given(Result<T, any Error>)
            case over
        }
        private let state = Mutex(State.empty)

        var isGiven: Bool {
            state.withLock { state in
                switch state {
                case .empty, .awaited: false
                case .given, .over: true
                }
            }
        }

        func wait(_ continuation: CheckedContinuation<T, any Error>) {
            let given: Result<T, any Error>? = state.withLock { state in
                if case .given(let result) = state {
                    state = .over
                    return result
                }
                state = .awaited(continuation)
                return nil
            }
            if let given { continuation.resume(with: given) }
        }

        func give(_ result: Result<T, any Error>) {
            let waiter: CheckedContinuation<T, any Error>? = state.withLock { state in
                switch state {
                case .empty:
                    state = .given(result)
                    return nil
                case .awaited(let waiter):
                    state = .over
                    return waiter
                case .given, .over: return nil
                }
            }
            waiter?.resume(with: result)
        }
    }
}

/// Ends the threads after everything that uses them.
struct FileWorkLifetime: Service {
    let all: [FileWork]

    func run() async throws {
        try? await gracefulShutdown()
        for work in all { await work.stop() }
    }
}
