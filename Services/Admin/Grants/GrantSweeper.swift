import Logging
import Postgres
import ServiceLifecycle

/// Applies what requests could not: every replica looks every two seconds.
struct GrantSweeper: Service {
    let outbox: GrantOutbox
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    _ = try await outbox.sweep()
                } catch is CancellationError {
                    return
                } catch {
                    logger.warning("Grants could not be applied; they are tried again", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: .seconds(2))
            }
        }
    }
}
