import Foundation
import PlatformModel
import Postgres

/// An event as the stream keeps it.
struct StoredEvent: Sendable {
    let stream: EventStream
    /// Counts up from 1 without a gap. Its text is the event's tag.
    let position: Int64
    /// By the database's clock; no two events of a stream have the same.
    let at: Date
    let sender: String
    let type: String
    let cluster: String?
    let org: String?
    let project: String?
    let user: String?
    let extra: [String: JSON]

    var tag: String { "\(position)" }

    static let columns: PostgresQuery =
        "e.stream, e.position, e.at, e.sender, e.type, e.cluster_name, e.org_name, e.project_name, e.user_name, e.extra"

    init(_ row: PostgresRow) throws {
        stream = try row.get("stream")
        position = try row.get("position")
        at = try row.get("at")
        sender = try row.get("sender")
        type = try row.get("type")
        cluster = try row.get("cluster_name")
        org = try row.get("org_name")
        project = try row.get("project_name")
        user = try row.get("user_name")
        extra = try row.json("extra")
    }
}

/// An event that a service sends.
struct NewEvent: Sendable {
    let id: UUID
    let stream: EventStream
    let type: String
    let cluster: String?
    let org: String?
    let project: String?
    let user: String?
    let extra: [String: JSON]
}
