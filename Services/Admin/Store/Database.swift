import Foundation
import PlatformModel
import Postgres
import ServiceKit

/// What the store's queries run on: the pool for single reads, a connection within a transaction.
protocol Database: Sendable {
    func query(_ query: PostgresQuery) async throws -> [PostgresRow]
    @discardableResult func execute(_ query: PostgresQuery) async throws -> Int
}

extension PostgresPool: Database {}
extension PostgresConnection: Database {}

extension PostgresRow {
    func name<N: PlatformName>(_ column: String, as type: N.Type = N.self) throws -> N { try N(get(column, as: String.self)) }

    func nameIfPresent<N: PlatformName>(_ column: String, as type: N.Type = N.self) throws -> N? {
        try get(column, as: String?.self).map { try N($0) }
    }

    func money(_ column: String) throws -> Money? { try get(column, as: Decimal?.self).map(Money.init) }

    func time(_ column: String) throws -> UTCTime { UTCTime(try get(column, as: Date.self)) }
}

/// Turns a broken constraint into the answer it means.
func refusing<T>(duplicate: @autoclosure () -> String, _ body: () async throws -> T) async throws -> T {
    do {
        return try await body()
    } catch let error as PostgresError where error.isUniqueViolation() {
        throw PlatformError.conflict(duplicate())
    }
}

/// Answers 400 for numbers that the schema refuses.
func inBounds<T>(_ body: () async throws -> T) async throws -> T {
    do {
        return try await body()
    } catch PostgresError.server(let error) where error.sqlState == "23514" {
        let field = error.constraint?.contains("default_quota") == true ? "default_quota.total_running_jobs" : "total_running_jobs"
        throw PlatformError.badRequest("\(field): must not be negative")
    } catch let error as PostgresError where error.sqlState == "22003" {
        throw PlatformError.badRequest("The amount is larger than can be stored")
    }
}
