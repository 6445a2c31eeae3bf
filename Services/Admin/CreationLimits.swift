import Postgres
import ServiceKit

/// How many things one account may make in an hour. Platform operators are not counted.
struct CreationLimits: Sendable {
    var orgs = 20
    var clusters = 10
    var users = 200

    /// Refuses with 429 when the account has made as many within the last hour. Belongs into the transaction of the creation: the audit log
    /// is the count.
    func check(_ kind: Kind, of caller: Caller, on db: some Database) async throws {
        // Service accounts (`owner/…`, and "0" is what follows "/") are their owner's: as many as one likes of them make no more.
        let owner = Directory.owner(caller.name)
        _ = try await db.query("SELECT pg_advisory_xact_lock(hashtextextended(\("creations " + owner), 0))")
        let rows = try await db.query(
            """
            SELECT count(*)::int AS made, ceil(extract(epoch FROM min(at) + interval '1 hour' - now()))::int AS wait
            FROM audit_log WHERE (caller = \(owner) OR caller > \(owner + "/") AND caller < \(owner + "0")) AND event = 'create'
                AND at > now() - interval '1 hour' AND target LIKE \(kind.rawValue + "/%") AND target NOT LIKE \(kind.rawValue + "/%/%")
            """)
        guard let row = rows.first, try row.get("made", as: Int.self) >= limit(kind) else { return }
        let wait = max(1, try row.get("wait", as: Int?.self) ?? 3_600)
        throw PlatformError(
            .tooManyRequests, "Too many \(kind.rawValue) were created within an hour; try again in \(wait) seconds.",
            headers: [.retryAfter: String(wait)])
    }

    enum Kind: String, Sendable {
        case orgs, clusters, users
    }

    private func limit(_ kind: Kind) -> Int {
        switch kind {
        case .orgs: orgs
        case .clusters: clusters
        case .users: users
        }
    }
}
