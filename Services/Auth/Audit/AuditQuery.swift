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

    let actor: String?
    let principal: String?
    let event: String?
    let window: LogWindow

    init(_ query: QueryItems) throws {
        actor = query.first("actor")
        principal = query.first("principal")
        event = query.first("event")
        window = try LogWindow(query)
    }

    /// - Throws: 403 unless the caller manages all users.
    func page(_ directory: Directory, _ caller: Caller) async throws -> LogPage<Line> {
        let (actions, _) = try await directory.ask(caller, on: [ResourceURI(.user)])
        guard actions[0] == .manage else { throw PlatformError.forbidden() }
        let rows = try await directory.audit.pool.query(
            """
            SELECT id, at, event, actor, principal, details, source, request_id FROM audit_log
            WHERE (\(actor)::text IS NULL OR actor = \(actor)) AND (\(principal)::text IS NULL OR principal = \(principal))
                AND (\(event)::text IS NULL OR event = \(event)) AND (\(window.since)::timestamptz IS NULL OR at >= \(window.since))
                AND (\(window.before)::bigint IS NULL OR id < \(window.before))
            ORDER BY id DESC LIMIT \(window.limit)
            """)
        let items = try rows.map { row in
            Line(
                id: try row.get("id"), at: try row.get("at"), event: try row.get("event"), actor: try row.get("actor"),
                principal: try row.get("principal"), details: try row.get("details"), source: try row.get("source"),
                requestID: try row.get("request_id"))
        }
        return window.page(items)
    }
}
