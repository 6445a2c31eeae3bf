import Kubernetes
import ServiceLifecycle
import Synchronization

/// Owns the sessions with containers, so that one can be opened before the client's handshake is answered and outlive the answer.
final class PodSessions: Service, Sendable {
    private typealias Work = @Sendable () async -> Void
    private let work: AsyncStream<Work>
    private let add: AsyncStream<Work>.Continuation

    init() { (work, add) = AsyncStream.makeStream(of: Work.self) }

    func run() async throws {
        await withDiscardingTaskGroup { group in
            for await work in work.cancelOnGracefulShutdown() { group.addTask { await work() } }
            // Clients have been told to go; what is still open hangs on containers that do not end.
            group.cancelAll()
        }
    }

    /// Opens a session; it stays open until the handle is released or let go of.
    /// - Parameter connect: connects and runs its argument with the session.
    func open(
        _ connect: @escaping @Sendable (@escaping @Sendable (PodSession) async throws -> Void) async throws -> Void
    ) async throws -> OpenPodSession {
        let release = AsyncStream.makeStream(of: Void.self)
        let opening = Opening()
        return try await withCheckedThrowingContinuation { continuation in
            opening.set(continuation)
            let result = add.yield {
                do {
                    try await connect { session in
                        opening.resume(.success(OpenPodSession(session: session, release: release.continuation)))
                        for await _ in release.stream {}
                    }
                    opening.resume(.failure(CancellationError()))
                } catch {
                    opening.resume(.failure(error))
                }
            }
            if case .terminated = result { opening.resume(.failure(CancellationError())) }
        }
    }

    /// Resumes its continuation once.
    private final class Opening: Sendable {
        private let waiting = Mutex<CheckedContinuation<OpenPodSession, any Error>?>(nil)
        func set(_ continuation: CheckedContinuation<OpenPodSession, any Error>) { waiting.withLock { $0 = continuation } }
        func resume(_ result: Result<OpenPodSession, any Error>) {
            waiting.withLock { waiting in
                defer { waiting = nil }
                return waiting
            }?.resume(with: result)
        }
    }
}

/// A session that has been opened. Letting go of it ends it.
final class OpenPodSession: Sendable {
    let session: PodSession
    private let release: AsyncStream<Void>.Continuation

    init(session: PodSession, release: AsyncStream<Void>.Continuation) {
        self.session = session
        self.release = release
    }

    deinit { release.finish() }
}
