import Foundation
import PlatformModel
import Postgres
import ServiceKit

/// Reads the audit log, newest first, a page at a time.
struct AuditQuery: Sendable {
    struct Line: Encodable, Sendable {
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

    struct Page: Encodable, Sendable {
        let items: [Line]
        /// What to ask with as `before` for the next page; absent at the end.
        let next: Int64?
    }

    static let largestPage = 1_000

    let caller: String?
    let target: String?
    let event: String?
    let since: Date?
    let before: Int64?
    let limit: Int

    init(_ query: QueryItems) throws {
        caller = query.first("caller")
        target = query.first("target")
        event = query.first("event")
        since = try query.date("since")
        before = try query.int("before").map { Int64($0) }
        limit = try query.int("limit") ?? 100
        guard (1...Self.largestPage).contains(limit) else { throw PlatformError.badRequest("limit: expected 1 to \(Self.largestPage)") }
        if let event, AuditLog.Event(rawValue: event) == nil { throw PlatformError.badRequest("event: '\(event)' is not known") }
    }

    func page(on db: some Database) async throws -> Page {
        let rows = try await db.query(
            """
            SELECT id, at, event, caller, target, old, new, idempotency_key FROM audit_log
            WHERE (\(caller)::text IS NULL OR caller = \(caller)) AND (\(target)::text IS NULL OR target = \(target))
                AND (\(event)::text IS NULL OR event = \(event)) AND (\(since)::timestamptz IS NULL OR at >= \(since))
                AND (\(before)::bigint IS NULL OR id < \(before))
            ORDER BY id DESC LIMIT \(limit)
            """)
        let items = try rows.map { row in
            Line(
                id: try row.get("id"), at: try row.get("at"), event: try row.get("event"), caller: try row.get("caller"),
                target: try row.get("target"), old: try row.json("old"), new: try row.json("new"),
                idempotencyKey: try row.get("idempotency_key"))
        }
        return Page(items: items, next: items.count == limit ? items.last?.id : nil)
    }
}

extension Directory {
    /// For operators alone.
    func audit(_ query: AuditQuery, as caller: Caller) async throws -> AuditQuery.Page {
        try await auth.require(Self.operates, as: caller)
        return try await query.page(on: pool)
    }
}
