import Kubernetes
import Logging
import ServiceLifecycle

/// Forgets old history, and tells watchers now and then how far it is, so that they resume from there. Closes the store at the end.
struct HistoryKeeper: Service {
    let store: ObjectStore
    var interval = Duration.seconds(30)

    func run() async throws {
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            do {
                try await cancelWhenGracefulShutdown { try await Task.sleep(for: interval) }
            } catch {
                break
            }
            await store.compact()
            await store.bookmark()
        }
    }
}

/// Closes the store once everything that writes has ended.
struct StoreCloser: Service {
    let store: ObjectStore

    func run() async throws {
        try? await gracefulShutdown()
        await store.close()
    }
}
