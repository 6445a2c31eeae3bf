import Logging
import PlatformModel
import Postgres
import ServiceLifecycle
import Synchronization

/// Tells requests that wait that a cluster may have changed, on whatever replica.
///
/// A connection of its own listens; whenever it had to be made anew everybody is woken once, since something may have been missed. Bounds:
/// so many waiting requests in all and of one caller; whoever comes in excess is not made to wait.
final class ChangeFeed: Service {
    private struct Waiter {
        let cluster: ClusterName?
        let caller: String
        let wake: AsyncStream<Void>.Continuation
    }
    private struct State {
        var waiters: [Int: Waiter] = [:]
        var last = 0
        var isOver = false
    }

    private let configuration: PostgresConfiguration
    private let limits: (total: Int, perCaller: Int)
    private let logger: Logger
    private let state = Mutex(State())

    init(configuration: PostgresConfiguration, limits: (total: Int, perCaller: Int), logger: Logger) {
        self.configuration = configuration
        self.limits = limits
        self.logger = logger
    }

    /// Runs `body` with the changes from now on of one cluster, of all for nil; without them when as many wait already as may.
    func following<T>(
        _ cluster: ClusterName?, for caller: String, _ body: (ClusterWakes?) async throws -> T
    ) async throws -> T {
        // One that is woken twice before it looks has to look once.
        let (stream, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let id = state.withLock { state -> Int? in
            guard !state.isOver, state.waiters.count < limits.total,
                state.waiters.values.count(where: { $0.caller == caller }) < limits.perCaller
            else { return nil }
            state.last += 1
            state.waiters[state.last] = Waiter(cluster: cluster, caller: caller, wake: wake)
            return state.last
        }
        defer { if let id { state.withLock { state in state.waiters[id] = nil } } }
        return try await body(id == nil ? nil : ClusterWakes(stream: stream))
    }

    var count: Int { state.withLock { $0.waiters.count } }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await self.listen()
                } catch {
                    guard !Task.isCancelled else { break }
                    self.logger.warning("Listening for changes of clusters is interrupted", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: .milliseconds(500))
            }
        }
        let waiters = state.withLock { state in
            defer { state.waiters = [:] }
            state.isOver = true
            return state.waiters
        }
        for waiter in waiters.values { waiter.wake.finish() }
    }

    private func listen() async throws {
        let connection = try await PostgresConnection.connect(configuration, logger: logger)
        do {
            let notifications = try await connection.notifications(on: [ClusterStore.channel])
            wake(nil)
            for try await notification in notifications { wake(notification.payload) }
            await connection.close()
        } catch {
            await connection.close()
            throw error
        }
    }

    /// Everybody for nil.
    private func wake(_ cluster: String?) {
        let waiters = state.withLock { $0.waiters.values.filter { cluster == nil || $0.cluster == nil || $0.cluster?.text == cluster } }
        for waiter in waiters { waiter.wake.yield() }
    }
}

/// The changes that one request waits for.
struct ClusterWakes: Sendable {
    fileprivate let stream: AsyncStream<Void>

    /// Waits for the next change; false when the time is up or the service is being stopped.
    func next(until deadline: ContinuousClock.Instant) async -> Bool {
        await withTaskGroup(of: Bool.self) { [stream] group in
            group.addTask {
                for await _ in stream { return true }
                return false
            }
            group.addTask {
                try? await Task.sleep(until: deadline, clock: .continuous)
                return false
            }
            // The server waits for its requests before it ends.
            group.addTask {
                try? await gracefulShutdown()
                return false
            }
            let changed = await group.next() ?? false
            group.cancelAll()
            return changed
        }
    }
}
