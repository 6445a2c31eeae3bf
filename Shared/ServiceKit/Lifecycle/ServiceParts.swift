import Postgres
import Redis
import ServiceLifecycle
import Synchronization

/// What a context gathers while its service is built.
final class ServiceParts: Sendable {
    struct Contents {
        var services: [any Service] = []
        var dependencies: [(name: String, state: @Sendable () async -> DependencyState)] = []
        var ends: [@Sendable () async -> Void] = []
        var postgres: PostgresPool?
        var redis: RedisClient?
    }

    let contents = Mutex(Contents())

    func add(_ service: any Service) { contents.withLock { $0.services.append(service) } }

    func watch(_ name: String, _ state: @escaping @Sendable () async -> DependencyState) {
        contents.withLock { $0.dependencies.append((name, state)) }
    }

    func end(_ body: @escaping @Sendable () async -> Void) { contents.withLock { $0.ends.append(body) } }

    /// For a service that was not built after all.
    func end() async {
        for end in contents.withLock({ $0.ends }) { await end() }
    }

    var services: [any Service] { contents.withLock { $0.services } }
    var dependencies: [(name: String, state: @Sendable () async -> DependencyState)] { contents.withLock { $0.dependencies } }
}
