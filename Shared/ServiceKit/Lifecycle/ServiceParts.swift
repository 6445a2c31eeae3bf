import Postgres
import Redis
import ServiceLifecycle
import Synchronization

/// What a context gathers while its service is built.
final class ServiceParts: Sendable {
    struct Contents {
        var services: [any Service] = []
        var dependencies: [(name: String, state: @Sendable () async -> DependencyState)] = []
        var postgres: PostgresPool?
        var redis: RedisClient?
    }

    let contents = Mutex(Contents())

    func add(_ service: any Service) { contents.withLock { $0.services.append(service) } }

    func watch(_ name: String, _ state: @escaping @Sendable () async -> DependencyState) {
        contents.withLock { $0.dependencies.append((name, state)) }
    }

    var services: [any Service] { contents.withLock { $0.services } }
    var dependencies: [(name: String, state: @Sendable () async -> DependencyState)] { contents.withLock { $0.dependencies } }
}
