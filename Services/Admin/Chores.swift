import Logging
import Postgres
import ServiceLifecycle

/// What any replica does now and then: tells config-api what it missed, compares grants with memberships, clears away what has ended.
struct Chores: Service {
    let directory: Directory
    let streams: EventStreams
    let reconciler: GrantReconciler
    let reconcileInterval: Duration
    /// Days.
    let auditRetention: Int
    /// Days.
    let keyRetention: Int

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await attempt("Clusters could not be told to config-api") { try await directory.config?.sweep() }
                await attempt("Grants could not be compared") {
                    if try await isDue("reconcile", every: reconcileInterval) { try await reconciler.run() }
                }
                await attempt("What has ended could not be cleared away") {
                    if try await isDue("clear", every: .seconds(3_600)) { try await clear() }
                }
                try? await Task.sleep(for: .seconds(2))
            }
        }
    }

    func clear() async throws {
        while try await !AuditLog.sweep(olderThan: auditRetention, on: directory.pool) {}
        while try await !IdempotencyKey.sweep(olderThan: keyRetention, on: directory.pool) {}
        while try await !streams.log.sweep(streams.retention) {}
    }

    /// Whether it is this replica's turn; then nobody else's for the interval.
    private func isDue(_ name: String, every interval: Duration) async throws -> Bool {
        try await directory.pool.execute(
            """
            INSERT INTO chores (name, begun_at) VALUES (\(name), now()) ON CONFLICT (name) DO UPDATE SET begun_at = now()
            WHERE chores.begun_at <= now() - make_interval(secs => \(Double(interval.components.seconds)))
            """) == 1
    }

    private func attempt(_ message: String, _ body: () async throws -> Void) async {
        do {
            try await body()
        } catch is CancellationError {
            return
        } catch {
            directory.outbox.logger.warning("\(message); it is tried again", metadata: ["error": "\(error)"])
        }
    }
}
