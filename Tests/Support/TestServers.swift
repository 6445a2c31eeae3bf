import Foundation
import Logging
import Postgres

/// The Postgres and Redis that `make test` started: `ORRERY_TEST_POSTGRES_URL`, `ORRERY_TEST_REDIS_URL`.
public enum TestServers {
    /// The server's own database, as a superuser.
    public static let postgresURL =
        ProcessInfo.processInfo.environment["ORRERY_TEST_POSTGRES_URL"] ?? "postgres://orrery@127.0.0.1:5432/postgres"
    /// Redis.
    public static let redisURL = ProcessInfo.processInfo.environment["ORRERY_TEST_REDIS_URL"] ?? "redis://127.0.0.1:6379"

    private static let pool = Result {
        var configuration = try PostgresConfiguration(url: postgresURL)
        // All tests of a run begin at once and each wants a database: making one takes its time, and the last in the queue waits for them all.
        configuration.maximumConnections = 4
        configuration.waitLimit = .seconds(180)
        configuration.statementTimeout = .seconds(60)
        return PostgresPool(configuration, logger: Logger(label: "test-databases"))
    }

    static func admin() throws -> PostgresPool { try pool.get() }

    static func url(ofDatabase name: String) -> String {
        guard var components = URLComponents(string: postgresURL) else { return postgresURL }
        components.path = "/" + name
        return components.string ?? postgresURL
    }
}
