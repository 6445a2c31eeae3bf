import Foundation
import PlatformModel
import Postgres
import ServiceKit

/// Reads the audit log, newest first, a page at a time.
struct AuditQuery: Sendable {
    struct Line: Encodable, Identifiable, Sendable {
        let id: Int64
        let at: Date
        let event: String
        let caller: String
        let target: String
        let old: JSON?
        let new: JSON?
        let idempotencyKey: String?

        enum CodingKeys: String, CodingKey {
            case id, at, event, caller, target, old, new
            case idempotencyKey = "idempotency_key"
        }
    }

    let caller: String?
    let target: String?
    let event: String?
    let window: LogWindow

    init(_ query: QueryItems) throws {
        caller = query.first("caller")
        target = query.first("target")
        event = query.first("event")
        window = try LogWindow(query)
        if let event, AuditLog.Event(rawValue: event) == nil { throw PlatformError.badRequest("event: '\(event)' is not known") }
    }

    func page(on db: some Database) async throws -> LogPage<Line> {
        let rows = try await db.query(
            """
            SELECT id, at, event, caller, target, old, new, idempotency_key FROM audit_log
            WHERE (\(caller)::text IS NULL OR caller = \(caller)) AND (\(target)::text IS NULL OR target = \(target))
                AND (\(event)::text IS NULL OR event = \(event)) AND (\(window.since)::timestamptz IS NULL OR at >= \(window.since))
                AND (\(window.before)::bigint IS NULL OR id < \(window.before))
            ORDER BY id DESC LIMIT \(window.limit)
            """)
        let items = try rows.map { row in
            Line(
                id: try row.get("id"), at: try row.get("at"), event: try row.get("event"), caller: try row.get("caller"),
                target: try row.get("target"), old: try row.json("old"), new: try row.json("new"),
                idempotencyKey: try row.get("idempotency_key"))
        }
        return window.page(items)
    }
}

extension Directory {
    /// For operators alone.
    func audit(_ query: AuditQuery, as caller: Caller) async throws -> LogPage<AuditQuery.Line> {
        try await auth.require(Self.operates, as: caller)
        return try await query.page(on: pool)
    }
}
