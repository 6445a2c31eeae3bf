import Crypto
import Foundation
import Logging
import Postgres
import ServiceKit

/// Consumers that share the events of a stream: each event is handed to one of them, again after a while, until it is acknowledged. It stays with that
/// connection as long as it lives, so that no two clear away at a time, and nobody still does when the last one has said that it is done.
struct EventGroups: Sendable {
    struct Pace: Sendable {
        /// After the first time; twice as long after each further one.
        var redelivery = Duration.seconds(30)
        var longest = Duration.seconds(900)
        /// How long a connection counts that does not show itself.
        var sessionLimit = Duration.seconds(30)
        /// How many one connection has without having acknowledged them.
        var window = 10
    }

    /// A group that a connection has joined.
    struct Membership: Sendable {
        let id: Int64
        let stream: EventStream
        let name: String
        let filters: EventFilters
        let subscriber: EventSubscriber
    }

    let pool: PostgresPool
    let pace: Pace
    let logger: Logger

    /// How many events are looked at for one that the group wants.
    private static let batch = 100

    /// A group that is new begins with everything that is kept: what it clears away may be older than itself.
    func join(_ name: String, _ stream: EventStream, _ filters: EventFilters, as subscriber: EventSubscriber) async throws -> Membership {
        let text = try PlatformJSON.encoder().encode(filters)
        let hash = SHA256.hash(data: text).map { String($0, radix: 16) }.joined(separator: ".")
        let id: Int64 = try await pool.transaction { db in
            func known() async throws -> Int64? {
                try await db.query(
                    """
                    UPDATE event_groups SET seen_at = clock_timestamp()
                    WHERE stream = \(stream.rawValue) AND subscriber = \(subscriber.name) AND name = \(name) AND filters_hash = \(hash)
                        AND cluster_name IS NOT DISTINCT FROM \(subscriber.cluster)::text
                    RETURNING id
                    """
                ).first?.get("id")
            }
            if let id = try await known() { return id }
            // A project that is being made looks whose removal of its namesake is due, and holds the stream too.
            try await EventLog.hold(stream, on: db)
            if let id = try await known() { return id }
            return try await db.query(
                """
                INSERT INTO event_groups (stream, subscriber, cluster_name, name, filters, filters_hash)
                VALUES (\(stream.rawValue), \(subscriber.name), \(subscriber.cluster), \(name), \(PostgresJSON(filters)), \(hash))
                RETURNING id
                """)[0].get("id")
        }
        return Membership(id: id, stream: stream, name: name, filters: filters, subscriber: subscriber)
    }

    /// The next events for a connection: first those that are due again, then new ones, as long as it has not too many.
    func claim(_ group: Membership, for session: UUID) async throws -> [StoredEvent] {
        guard try await hasWork(group, for: session) else { return [] }
        return try await pool.transaction { db in
            let rows = try await db.query("SELECT position FROM event_groups WHERE id = \(group.id) FOR UPDATE")
            guard let position: Int64 = try rows.first?.get("position") else { throw EventRefusal.forgotten(group.name) }
            let held: Int =
                try await db.query(
                    "SELECT count(*) AS held FROM event_deliveries WHERE session = \(session) AND due_at > clock_timestamp()"
                ).first?.get("held") ?? 0
            let room = pace.window - held
            guard room > 0 else { return [] }
            let again = try await repeated(group, for: session, limit: room, on: db)
            return again + (try await fresh(group, after: position, for: session, limit: room - again.count, on: db))
        }
    }

    private func hasWork(_ group: Membership, for session: UUID) async throws -> Bool {
        try await !pool.query(
            """
            SELECT 1 FROM event_groups g WHERE g.id = \(group.id) AND (
                g.position < (SELECT position FROM event_streams WHERE name = g.stream)
                OR EXISTS (SELECT FROM event_deliveries d WHERE d.group_id = g.id AND \(isDue(for: session))))
            UNION ALL SELECT 1 WHERE NOT EXISTS (SELECT FROM event_groups WHERE id = \(group.id))
            """
        ).isEmpty
    }

    /// Of a delivery `d`.
    private func isDue(for session: UUID) -> PostgresQuery {
        """
        (d.session = \(session) AND d.due_at <= clock_timestamp() OR NOT EXISTS (
            SELECT FROM event_sessions s WHERE s.id = d.session
                AND s.seen_at > clock_timestamp() - \(pace.sessionLimit.seconds) * interval '1 second'))
        """
    }

    private func repeated(_ group: Membership, for session: UUID, limit: Int, on db: some Database) async throws -> [StoredEvent] {
        let due = try await db.query(
            """
            SELECT \(StoredEvent.columns) FROM event_deliveries d JOIN events e USING (stream, position)
            WHERE d.group_id = \(group.id) AND \(isDue(for: session)) ORDER BY position LIMIT \(limit)
            """
        ).map { try StoredEvent($0) }
        var kept: [StoredEvent] = []
        for event in due {
            guard try await isStillTrue(event, group, on: db) else {
                try await db.execute("DELETE FROM event_deliveries WHERE group_id = \(group.id) AND position = \(event.position)")
                continue
            }
            try await db.execute(
                """
                UPDATE event_deliveries SET session = \(session), attempts = attempts + 1,
                    due_at = clock_timestamp() + least(\(pace.longest.seconds), \(pace.redelivery.seconds) * 2 ^ least(attempts, 20))
                        * interval '1 second'
                WHERE group_id = \(group.id) AND position = \(event.position)
                """)
            kept.append(event)
        }
        return kept
    }

    private func fresh(
        _ group: Membership, after position: Int64, for session: UUID, limit: Int, on db: some Database
    ) async throws -> [StoredEvent] {
        guard limit > 0 else { return [] }
        var taken: [StoredEvent] = []
        var end = position
        for event in try await EventLog.events(of: group.stream, after: position, limit: Self.batch, on: db) {
            guard taken.count < limit else { break }
            end = event.position
            guard group.wants(event), try await isStillTrue(event, group, on: db) else { continue }
            try await db.execute(
                """
                INSERT INTO event_deliveries (group_id, stream, position, session, due_at)
                VALUES (\(group.id), \(event.stream.rawValue), \(event.position), \(session),
                    clock_timestamp() + \(pace.redelivery.seconds) * interval '1 second')
                """)
            taken.append(event)
        }
        try await db.execute("UPDATE event_groups SET position = \(end), seen_at = clock_timestamp() WHERE id = \(group.id)")
        return taken
    }

    /// Nobody is told to clear away what has been made again. It cannot be made while a known group has not acknowledged; this is for groups that
    /// were not known then.
    private func isStillTrue(_ event: StoredEvent, _ group: Membership, on db: some Database) async throws -> Bool {
        guard try await ProjectRemovals.isOverturned(event, on: db) else { return true }
        logger.notice(
            "An event is not handed out: its project is there again", metadata: ["tag": "\(event.tag)", "group": "\(group.name)"])
        return false
    }

    /// Takes the word of the connection that has an event; or of any for one that was left by a connection that has ended, whose client may be back.
    func acknowledge(_ positions: [Int64], _ groups: Set<Int64>, by session: UUID) async throws {
        guard !positions.isEmpty, !groups.isEmpty else { return }
        try await pool.execute(
            """
            DELETE FROM event_deliveries d WHERE d.group_id = ANY(\(groups.map(Int.init))) AND d.position = ANY(\(positions.map(Int.init)))
                AND (d.session = \(session)
                    OR NOT EXISTS (SELECT FROM event_sessions s WHERE s.id = d.session AND NOT s.has_ended))
            """)
    }
}

// MARK: - Connections

extension EventGroups {
    func begin(_ session: UUID) async throws { try await pool.execute("INSERT INTO event_sessions (id) VALUES (\(session))") }

    /// The connection lives, and somebody follows these groups, if only in silence.
    func renew(_ session: UUID, _ groups: Set<Int64>) async throws {
        try await pool.execute("UPDATE event_sessions SET seen_at = clock_timestamp() WHERE id = \(session)")
        try await pool.execute(
            """
            UPDATE event_groups SET seen_at = clock_timestamp()
            WHERE id = ANY(\(groups.map(Int.init))) AND seen_at < clock_timestamp() - interval '1 minute'
            """)
    }

    /// - Parameter properly: the client said goodbye, so it is done with what it had: another one gets it at once. Otherwise after a while.
    func end(_ session: UUID, properly: Bool) async throws {
        if properly {
            try await pool.execute("DELETE FROM event_sessions WHERE id = \(session)")
        } else {
            try await pool.execute("UPDATE event_sessions SET has_ended = true, seen_at = clock_timestamp() WHERE id = \(session)")
        }
        _ = try await pool.query("SELECT pg_notify(\(EventLog.channel), '')")
    }
}

extension EventGroups.Membership {
    func wants(_ event: StoredEvent) -> Bool { subscriber.maySee(cluster: event.cluster) && filters.admits(event) }
}

extension Duration {
    fileprivate var seconds: Double { self / .seconds(1) }
}
