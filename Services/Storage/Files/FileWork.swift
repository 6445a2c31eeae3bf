import Glibc
import NIOPosix
import ServiceKit
import ServiceLifecycle
import Synchronization
import WebSocket

/// Threads on which one storage's file system is waited for. A storage that hangs holds up its own threads and nobody else's; who waits for
/// it can go away, and is sent away in time.
final class FileWork: FileThreads {
    /// Work that waits for a thread; more is refused.
    private static let longestQueue = 2000

    private let threads: NIOThreadPool
    private let waiting = Atomic(0)
    /// How long a call may take, with its wait for a thread.
    private let limit: Duration

    init(threads count: Int, limit: Duration) {
        threads = NIOThreadPool(numberOfThreads: count)
        self.limit = limit
        threads.start()
    }

    /// Runs `body` on one of the threads.
    /// - Throws: what `body` throws; 503 when too much waits; ``FileFailure/silentStorage`` when it takes too long; `CancellationError` at once
    ///   when cancelled. A call that has begun then goes on to its end unheard; one that has not is never made.
    func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        guard waiting.wrappingAdd(1, ordering: .relaxed).newValue <= Self.longestQueue else {
            waiting.wrappingSubtract(1, ordering: .relaxed)
            throw PlatformError.unavailable("The storage is overloaded; try again.")
        }
        let job = FileJob(body)
        let alarm = AlarmClock.shared.set(after: limit) { job.end(.failure(FileFailure.silentStorage)) }
        defer { AlarmClock.shared.forget(alarm) }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                job.wait(continuation)
                threads.submit { [self] state in
                    waiting.wrappingSubtract(1, ordering: .relaxed)
                    guard case .active = state else { return job.end(.failure(CancellationError())) }
                    job.run()
                }
            }
        } onCancel: {
            job.end(.failure(CancellationError()))
        }
    }

    /// Closes a descriptor on one of the threads: a file system may write back then, and take its time.
    func close(_ descriptor: CInt) {
        threads.submit { _ in _ = Glibc.close(descriptor) }
    }

    /// Ends the threads. Those that hang are left to the end of the process.
    func stop(within patience: Duration = .seconds(2)) async {
        let ended = FileJob {}
        let alarm = AlarmClock.shared.set(after: patience) { ended.run() }
        defer { AlarmClock.shared.forget(alarm) }
        try? await withCheckedThrowingContinuation { continuation in
            ended.wait(continuation)
            threads.shutdownGracefully { _ in ended.run() }
        }
    }
}

/// Ends the threads after everything that uses them.
struct FileWorkLifetime: Service {
    let all: [FileWork]

    func run() async throws {
        try? await gracefulShutdown()
        await withTaskGroup(of: Void.self) { group in
            for work in all { group.addTask { await work.stop() } }
        }
    }
}
