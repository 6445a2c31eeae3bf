import Logging
import ServiceKit

/// Runs a service in this process for the time of `body`: free port of 127.0.0.1, a fresh database of its own (unless the settings name
/// one), the shared Redis with an own key prefix (`redis.prefix`), no shutdown delay.
/// - Parameters:
///   - settings: by key (`auth.url`); they win over the harness's.
///   - authenticator: as the main would pass it.
public func withService<S: PlatformService, T>(
    _ type: S.Type, settings: [String: String] = [:], authenticator: AuthenticatorFactory? = nil, log: TestLog = TestLog(),
    _ body: (TestService) async throws -> T
) async throws -> T {
    guard settings["postgres.url"] == nil else {
        return try await runService(type, settings: settings, authenticator: authenticator, log: log, body)
    }
    return try await TestDatabase.with { database in
        let own = settings.merging(["postgres.url": database.url]) { given, _ in given }
        return try await runService(type, settings: own, authenticator: authenticator, log: log, body)
    }
}

private func runService<S: PlatformService, T>(
    _ type: S.Type, settings: [String: String], authenticator: AuthenticatorFactory?, log: TestLog, _ body: (TestService) async throws -> T
) async throws -> T {
    let usual = [
        "http.host": "127.0.0.1", "http.port": "0", "metrics.port": "0", "shutdown.delay": "0", "shutdown.limit": "5", "start.limit": "10",
        "redis.url": TestRedis.url, "redis.prefix": TestRedis.prefix(),
    ]
    let assembly = try await ServiceAssembly(
        type, settings: Settings(values: settings.merging(usual) { given, _ in given }), logger: log.logger(S.name),
        authenticator: authenticator)
    let (ports, port) = AsyncStream.makeStream(of: Int.self)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            defer { port.finish() }
            try await assembly.run { port.yield($0) }
        }
        guard let number = await ports.first(where: { _ in true }) else {
            try await group.waitForAll()
            throw SettingError("\(S.name) stopped before it had started.")
        }
        let service = TestService(url: "http://127.0.0.1:\(number)", port: number, assembly: assembly, log: log)
        do {
            let value = try await body(service)
            assembly.shutDown()
            try await group.waitForAll()
            return value
        } catch {
            assembly.shutDown()
            try? await group.waitForAll()
            throw error
        }
    }
}
