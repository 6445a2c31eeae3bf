import Metrics
import Postgres
import Redis

extension ServiceContext {
    /// The pool on `ORRERY_POSTGRES_URL`, one a process, migrated before it is returned; it runs in the lifecycle group and shows its
    /// state in `/ready` and `/metrics`. A server that is away is waited for up to `ORRERY_START_LIMIT` seconds (60).
    public func postgres(migrations: [Migration] = []) async throws -> PostgresPool {
        let pool = try parts.contents.withLock { $0.postgres } ?? addPostgres()
        let migrated = migrations
        try await waiting(for: "Postgres") { try await pool.migrate(migrated) }
        return pool
    }

    /// The client on `ORRERY_REDIS_URL`, one a process, as ``postgres(migrations:)``.
    public func redis() async throws -> RedisClient {
        let client = try parts.contents.withLock { $0.redis } ?? addRedis()
        try await waiting(for: "Redis") { _ = try await client.send("PING", []) }
        return client
    }

    private func addPostgres() throws -> PostgresPool {
        var configuration: PostgresConfiguration
        let url = try settings.secret("postgres.url").value
        do {
            configuration = try PostgresConfiguration(url: url)
        } catch {
            throw SettingError("ORRERY_POSTGRES_URL cannot be used: \(error)")
        }
        configuration.applicationName = name
        // How long one call waits while the server is away or every connection lent.
        configuration.waitLimit = try settings.duration("postgres.wait", default: configuration.waitLimit)
        configuration.maximumConnections = try settings.int("postgres.connections", default: configuration.maximumConnections)
        let pool = PostgresPool(configuration, logger: logger)
        parts.contents.withLock { $0.postgres = pool }
        run(pool)
        watch("postgres") {
            let state = await pool.state
            var detail = ["lent": "\(state.lent)", "idle": "\(state.idle)", "waiting": "\(state.waiting)"]
            detail["error"] = state.lastError
            return DependencyState(ok: state.lastError == nil, detail: detail)
        }
        metrics.beforeScrape { [metrics] in
            let state = await pool.state
            for (use, count) in [("lent", state.lent), ("idle", state.idle), ("opening", state.opening)] {
                Meter(label: "postgres_pool_connections", dimensions: [("state", use)], factory: metrics).set(count)
            }
            Meter(label: "postgres_pool_waiting", factory: metrics).set(state.waiting)
        }
        return pool
    }

    private func addRedis() throws -> RedisClient {
        var configuration: RedisConfiguration
        let url = try settings.secret("redis.url").value
        do {
            configuration = try RedisConfiguration(url: url)
        } catch {
            throw SettingError("ORRERY_REDIS_URL cannot be used: \(error)")
        }
        configuration.waitLimit = try settings.duration("redis.wait", default: configuration.waitLimit)
        let client = RedisClient(configuration, logger: logger)
        parts.contents.withLock { $0.redis = client }
        run(client)
        watch("redis") { DependencyState(ok: await client.ping()) }
        return client
    }

    /// Runs `body` until the store it needs is there; says so in the log, and gives up after a bound.
    private func waiting(for store: String, _ body: () async throws -> Void) async throws {
        let limit = try settings.duration("start.limit", default: .seconds(60))
        let start = ContinuousClock.now
        while true {
            do {
                return try await body()
            } catch  where ErrorMapping.isAway(error) {
                let waited = ContinuousClock.now - start
                guard waited < limit else { throw SettingError("\(store) did not answer within \(limit.components.seconds) s: \(error)") }
                logger.warning(
                    "\(store) is away; waiting for it", metadata: ["waited": "\(waited.components.seconds) s", "error": "\(error)"])
                try await Task.sleep(for: .milliseconds(500))
            }
        }
    }
}
