import Dispatch
import Logging
import ServiceLifecycle

/// Connections to one database, lent for the length of a call. Connections are opened on demand, so lending works before and without
/// `run()`. A server that is briefly away is waited for, within the configuration's wait limit.
public final class PostgresPool: Service, Sendable {
    public let configuration: PostgresConfiguration
    let lender: ConnectionLender
    let logger: Logger

    public init(_ configuration: PostgresConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        lender = ConnectionLender(configuration, logger: logger)
    }

    /// Closes connections that stay idle. Returns on graceful shutdown, after which connections are closed as they come back.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(15))
                self.lender.closeIdle(olderThan: self.configuration.idleLimit)
            }
        }
        lender.drain()
    }

    /// The rows of a statement. A statement that only reads is repeated when its connection breaks; any other only while it cannot have run.
    public func query(_ query: PostgresQuery) async throws -> [PostgresRow] {
        try await repeating(query) { try await $0.query(query) }
    }

    /// Runs a statement and counts the rows it touched; repeated only while it cannot have run.
    @discardableResult
    public func execute(_ query: PostgresQuery) async throws -> Int { try await repeating(query) { try await $0.execute(query) } }

    /// Lends a connection. Whatever transaction `body` leaves open is rolled back.
    @discardableResult
    public func withConnection<T: Sendable>(
        isolation: isolated (any Actor)? = #isolation, _ body: (PostgresConnection) async throws -> T
    ) async throws -> T {
        let connection = try await lender.lend()
        return try await returning(connection, body)
    }

    /// Runs `body` in a transaction: see `PostgresConnection.transaction`. `body` runs at most once.
    @discardableResult
    public func transaction<T: Sendable>(
        isolation: isolated (any Actor)? = #isolation, _ body: (PostgresConnection) async throws -> T
    ) async throws -> T {
        let connection = try await beginning()
        return try await returning(connection) { try await $0.finishTransaction(body) }
    }

    /// What the pool is doing.
    public var state: PostgresPoolState { get async { lender.snapshot } }

    /// Whether the database answers at this moment, within two seconds.
    public func ping() async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { (try? await self.query("SELECT 1").count) == 1 }
            group.addTask {
                try? await Task.sleep(for: .seconds(2))
                return false
            }
            let answer = await group.next() ?? false
            group.cancelAll()
            return answer
        }
    }
}

extension PostgresPool {
    private func returning<T: Sendable>(
        isolation: isolated (any Actor)? = #isolation, _ connection: PostgresConnection, _ body: (PostgresConnection) async throws -> T
    ) async throws -> T {
        do {
            let value = try await body(connection)
            await connection.rollBack()
            lender.takeBack(connection)
            return value
        } catch {
            await connection.rollBack()
            lender.takeBack(connection)
            throw error
        }
    }

    /// A connection with a transaction begun: an idle one may turn out dead, which BEGIN tells without harm.
    private func beginning() async throws -> PostgresConnection {
        let deadline = ContinuousClock.now + configuration.waitLimit
        while true {
            let connection = try await lender.lend()
            do {
                _ = try await connection.perform(.script(TransactionCommand.begin))
                return connection
            } catch PostgresError.unavailable where ContinuousClock.now < deadline {
                lender.takeBack(connection)
            } catch {
                await connection.rollBack()
                lender.takeBack(connection)
                throw error
            }
        }
    }

    private func repeating<T: Sendable>(
        _ query: PostgresQuery, _ body: (PostgresConnection) async throws -> T
    ) async throws -> T {
        let deadline = ContinuousClock.now + configuration.waitLimit
        while true {
            // Outside: a lender that gave up has waited its whole limit, and must not be asked to wait once more.
            let connection = try await lender.lend()
            do {
                return try await returning(connection, body)
            } catch PostgresError.unavailable(let reason, let mayHaveRun) {
                if mayHaveRun && !query.isReadOnly || ContinuousClock.now >= deadline {
                    throw PostgresError.unavailable(reason: reason, mayHaveRun: mayHaveRun)
                }
                logger.debug("A statement is repeated on another connection", metadata: ["reason": "\(reason)"])
            }
        }
    }
}
