/// One numbered step of a schema. Steps run once each, in order, recorded in `schema_migrations`.
public struct Migration: Sendable {
    public let number: Int
    public let name: String
    public let sql: String
    public let transactional: Bool

    /// - Parameters:
    ///   - sql: One or more statements.
    ///   - transactional: False for what cannot run in a transaction (`CREATE INDEX CONCURRENTLY`): then one statement, safe to repeat.
    public init(_ number: Int, _ name: String, sql: String, transactional: Bool = true) {
        self.number = number
        self.name = name
        self.sql = sql
        self.transactional = transactional
    }
}
