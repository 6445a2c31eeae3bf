import ServiceKit
import Synchronization

/// Lets one at a time make disks in a project, so that what fits once is not given twice.
final class ProjectTurns: Sendable {
    /// How many may wait for one project.
    private static let limit = 100
    private typealias Waiter = (number: Int, continuation: CheckedContinuation<Void, any Error>)

    private struct State {
        /// Whoever has the turn is not among those who wait.
        var queues: [String: [Waiter]] = [:]
        var last = 0
        /// Who went before it stood in the queue.
        var gone: Set<Int> = []
    }
    private let state = Mutex(State())

    /// - Throws: 503 where too many wait already, `CancellationError` for one that goes, else what `body` throws.
    func take<T>(_ project: String, _ body: () async throws -> T) async throws -> T {
        if let number = try begin(project) { try await wait(project, number) }
        defer { leave(project) }
        return try await body()
    }

    /// The number to wait with; nil for whoever need not.
    private func begin(_ project: String) throws -> Int? {
        try state.withLock { state in
            guard let queue = state.queues[project] else {
                state.queues[project] = []
                return nil
            }
            guard queue.count < Self.limit else {
                throw PlatformError.unavailable("Too many disks are being made in this project; try again.")
            }
            state.last += 1
            return state.last
        }
    }

    private func wait(_ project: String, _ number: Int) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let now: Result<Void, any Error>? = state.withLock { state in
                    if state.gone.remove(number) != nil { return .failure(CancellationError()) }
                    guard state.queues[project] != nil else {
                        state.queues[project] = []
                        return .success(())
                    }
                    state.queues[project]?.append((number, continuation))
                    return nil
                }
                if let now { continuation.resume(with: now) }
            }
            state.withLock { _ = $0.gone.remove(number) }
        } onCancel: {
            let waiter = state.withLock { state -> Waiter? in
                guard let index = state.queues[project]?.firstIndex(where: { $0.number == number }) else {
                    state.gone.insert(number)
                    return nil
                }
                return state.queues[project]?.remove(at: index)
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }

    private func leave(_ project: String) {
        let next = state.withLock { state -> Waiter? in
            guard state.queues[project]?.isEmpty == false else {
                state.queues[project] = nil
                return nil
            }
            return state.queues[project]?.removeFirst()
        }
        next?.continuation.resume()
    }
}
