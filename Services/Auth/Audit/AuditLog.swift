import Logging
import Postgres
import ServiceKit

/// Writes the audit log: to Postgres, in the transaction of what it tells where there is one, and to the process's log.
struct AuditLog: Sendable {
    let pool: PostgresPool
    let logger: Logger

    func record(_ entry: AuditEntry) async throws {
        try await pool.execute(Self.insert(entry))
        tell(entry)
    }

    /// Within a transaction; ``tell(_:)`` it once that is committed.
    static func record(_ entry: AuditEntry?, on connection: PostgresConnection) async throws {
        if let entry { try await connection.execute(insert(entry)) }
    }

    func tell(_ entry: AuditEntry) {
        logger.notice(
            "audit",
            metadata: [
                "event": "\(entry.event.rawValue)", "actor": "\(entry.actor ?? "")", "principal": "\(entry.principal ?? "")",
                "details": .array(entry.details.map { "\($0)" }), "source": "\(RequestOrigin.current?.source ?? "")",
            ])
    }

    /// Removes what is older than the retention, a bounded batch at a time; true when nothing is left to remove.
    func sweep(olderThan days: Int) async throws -> Bool {
        try await pool.execute(
            """
            DELETE FROM audit_log WHERE id IN (
                SELECT id FROM audit_log WHERE at < now() - make_interval(days => \(days)) ORDER BY at LIMIT 5000)
            """) < 5_000
    }

    /// At most this many details of an entry are kept, each so long.
    private static let maximumDetails = 200
    private static let maximumDetail = 1_024

    private static func insert(_ entry: AuditEntry) -> PostgresQuery {
        var details = entry.details.prefix(maximumDetails).map { String($0.prefix(maximumDetail)) }
        if entry.details.count > maximumDetails { details.append("… and \(entry.details.count - maximumDetails) more") }
        let origin = RequestOrigin.current
        return """
            INSERT INTO audit_log (event, actor, principal, details, source, request_id)
            VALUES (\(entry.event.rawValue), \(entry.actor), \(entry.principal), \(details), \(origin?.source), \(origin?.requestID))
            """
    }
}
