import PlatformClients
import Postgres
import ServiceKit

/// Writes who changed what, in the transaction of the change.
enum AuditLog {
    enum Event: String, Sendable, CaseIterable {
        case create, update, delete, defaults, quota, balance, spending, debt
    }

    /// - Parameters:
    ///   - target: a path of this API without its prefix, `orgs/acme/users/bob`.
    ///   - old: what it was; nil for what is new.
    ///   - new: what it is; nil for what is gone.
    static func record(
        _ event: Event, _ target: String, by caller: Caller, old: (some Encodable)?, new: (some Encodable)?, key: IdempotencyKey? = nil,
        on db: some Database
    ) async throws {
        try await db.execute(
            """
            INSERT INTO audit_log (event, caller, target, old, new, idempotency_key)
            VALUES (\(event.rawValue), \(caller.name), \(target), \(old.map { PostgresJSON($0) }), \(new.map { PostgresJSON($0) }), \(key?.key))
            """)
    }

    static func created(_ target: String, _ new: some Encodable, by caller: Caller, on db: some Database) async throws {
        try await record(.create, target, by: caller, old: String?.none, new: new, on: db)
    }

    static func deleted(_ target: String, _ old: some Encodable, by caller: Caller, on db: some Database) async throws {
        try await record(.delete, target, by: caller, old: old, new: String?.none, on: db)
    }

    /// Removes what is older than the retention, a bounded batch at a time; true when nothing is left to remove.
    static func sweep(olderThan days: Int, on db: some Database) async throws -> Bool {
        try await db.execute(
            """
            DELETE FROM audit_log WHERE id IN (
                SELECT id FROM audit_log WHERE at < now() - make_interval(days => \(days)) ORDER BY at LIMIT 5000)
            """) < 5_000
    }
}

/// Names of what is changed, as the paths of this API say them.
enum AuditTarget {
    static func cluster(_ cluster: String) -> String { "clusters/\(cluster)" }

    static func presence(_ org: String?, in cluster: String) -> String { "clusters/\(cluster)" + (org.map { "/orgs/\($0)" } ?? "") }

    static func member(_ user: String, _ org: String?, in cluster: String) -> String { "\(presence(org, in: cluster))/users/\(user)" }

    static func project(_ project: String, in place: ProjectPlace) -> String {
        "\(presence(place.org?.text, in: place.cluster.text))/projects/\(project)"
    }
}
