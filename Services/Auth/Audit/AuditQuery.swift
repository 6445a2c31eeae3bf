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
        let actor: String?
        let principal: String?
        let details: [String]
        let source: String?
        let requestID: String?

        enum CodingKeys: String, CodingKey {
            case id, at, event, actor, principal, details, source
            case requestID = "request_id"
        }
    }

    struct Page: Encodable, Sendable {
        let items: [Line]
        /// What to ask with as `before` for the next page; absent at the end.
        let next: Int64?
    }

    static let largestPage = 1_000

    var actor: String?
    var principal: String?
    var event: String?
    var since: Date?
    var before: Int64?
    var limit: Int

    init(_ query: QueryItems) throws {
        actor = query.first("actor")
        principal = query.first("principal")
        event = query.first("event")
        since = try query.date("since")
        before = try query.int("before").map { Int64($0) }
        limit = try query.int("limit") ?? 100
        guard (1...Self.largestPage).contains(limit) else {
            throw PlatformError.badRequest("limit: expected 1 to \(Self.largestPage)")
        }
    }

    /// - Throws: 403 unless the caller manages all users.
    func page(_ directory: Directory, _ caller: Caller) async throws -> Page {
        let (actions, _) = try await directory.ask(caller, on: [ResourceURI(.user)])
        guard actions[0] == .manage else { throw PlatformError.forbidden() }
        let rows = try await directory.audit.pool.query(
            """
            SELECT id, at, event, actor, principal, details, source, request_id FROM audit_log
            WHERE (\(actor)::text IS NULL OR actor = \(actor)) AND (\(principal)::text IS NULL OR principal = \(principal))
                AND (\(event)::text IS NULL OR event = \(event)) AND (\(since)::timestamptz IS NULL OR at >= \(since))
                AND (\(before)::bigint IS NULL OR id < \(before))
            ORDER BY id DESC LIMIT \(limit)
            """)
        let items = try rows.map { row in
            Line(
                id: try row.get("id"), at: try row.get("at"), event: try row.get("event"), actor: try row.get("actor"),
                principal: try row.get("principal"), details: try row.get("details"), source: try row.get("source"),
                requestID: try row.get("request_id"))
        }
        return Page(items: items, next: items.count == limit ? items.last?.id : nil)
    }
}
