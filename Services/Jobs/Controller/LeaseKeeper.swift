import Logging
import Postgres
import Synchronization

/// Leads a cluster while nobody else does. The lease is taken and renewed on a connection of its own; a leader whose renewals stay unanswered
/// stops by its own clock well before the lease runs out in the database (ARCHITECTURE §7).
struct LeaseKeeper: Sendable {
    /// Thrown when this process must not act any more.
    struct Lost: Error {}

    static let renewal: Duration = .seconds(3)
    /// Without a renewal for this long the leader stops; the rest of the lease's life is for what it still has in flight.
    static let trust: Duration = .seconds(7)

    let cluster: String
    let holder: String
    let configuration: PostgresConfiguration
    let logger: Logger

    /// Waits for the lease, runs `body` under it, and so on until cancelled.
    func run(_ body: @Sendable @escaping (Leadership) async throws -> Void) async {
        while !Task.isCancelled {
            do {
                try await lead(body)
            } catch is CancellationError {
                return
            } catch {
                logger.warning("The cluster is not led by this process any more", metadata: ["cluster": "\(cluster)", "error": "\(error)"])
                // What is lost is asked for again at once; what does not work at all is not tried in haste.
                try? await Task.sleep(for: error is Lost ? .milliseconds(200) : .seconds(2))
            }
        }
    }

    private func lead(_ body: @Sendable @escaping (Leadership) async throws -> Void) async throws {
        let connection = try await PostgresConnection.connect(configuration, logger: logger)
        let (lease, asked) = try await withClosing(connection) { try await acquire(on: connection) }
        let leadership = Leadership(lease: lease, renewedAt: asked)
        logger.info("This process leads the cluster", metadata: ["cluster": "\(cluster)", "epoch": "\(lease.epoch)"])
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                // The watchdog is a task of its own: a renewal may hang.
                group.addTask { try await leadership.watch() }
                group.addTask { try await renew(leadership, on: connection) }
                group.addTask { try await body(leadership) }
                defer { group.cancelAll() }
                try await group.next()
            }
        } catch {
            await release(lease)
            throw error
        }
        await release(lease)
    }

    /// Asks every second; the connection stays open meanwhile.
    private func acquire(on connection: PostgresConnection) async throws -> (JobLease, ContinuousClock.Instant) {
        while true {
            // What counts is when it was asked for: the answer may have been long on its way.
            let asked = ContinuousClock.now
            if let lease = try await JobLeases(connection: connection).acquire(cluster: cluster, holder: holder) { return (lease, asked) }
            try await Task.sleep(for: .seconds(1))
        }
    }

    /// Renews; a broken connection is replaced as long as the lease is trusted.
    private func renew(_ leadership: Leadership, on first: PostgresConnection) async throws {
        var connection = first
        while true {
            do {
                try await Task.sleep(for: Self.renewal)
                while true {
                    let asked = ContinuousClock.now
                    do {
                        guard try await JobLeases(connection: connection).renew(leadership.lease) else { throw Lost() }
                        leadership.renewed(at: asked)
                        break
                    } catch is PostgresError {
                        await connection.close()
                        try await Task.sleep(for: .milliseconds(200))
                        if let fresh = try? await PostgresConnection.connect(configuration, logger: logger) { connection = fresh }
                    }
                }
            } catch {
                await connection.close()
                throw error
            }
        }
    }

    private func withClosing<T: Sendable>(_ connection: PostgresConnection, _ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch {
            await connection.close()
            throw error
        }
    }

    /// So that another replica need not wait; harmless if the lease has passed on. Not the leader's own task: that one is cancelled.
    private func release(_ lease: JobLease) async {
        let (configuration, logger) = (configuration, logger)
        await Task.detached {
            guard let connection = try? await PostgresConnection.connect(configuration, logger: logger) else { return }
            try? await JobLeases(connection: connection).release(lease)
            await connection.close()
        }.value
    }
}

/// The right to act, as this process sees it.
final class Leadership: Sendable {
    let lease: JobLease
    private let renewedAt: Mutex<ContinuousClock.Instant>

    init(lease: JobLease, renewedAt: ContinuousClock.Instant) {
        self.lease = lease
        self.renewedAt = Mutex(renewedAt)
    }

    func renewed(at time: ContinuousClock.Instant) { renewedAt.withLock { $0 = max($0, time) } }

    /// Until when the lease is trusted.
    var deadline: ContinuousClock.Instant { renewedAt.withLock { $0 } + LeaseKeeper.trust }

    /// - Throws: `LeaseKeeper.Lost`.
    func check() throws { if ContinuousClock.now >= deadline { throw LeaseKeeper.Lost() } }

    /// Returns never; throws once the lease is not trusted any more.
    func watch() async throws {
        while true {
            try check()
            try await Task.sleep(until: deadline, clock: .continuous)
        }
    }
}
