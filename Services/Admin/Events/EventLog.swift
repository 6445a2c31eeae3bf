import Foundation
import PlatformModel
import Postgres

/// The events of all streams, in order. Whoever adds some holds the stream's row to the end of the transaction, so that a reader who has seen one
/// has seen all before it.
struct EventLog: Sendable {
    let pool: PostgresPool

    /// The channel on which new events are announced, and that one of the outbox.
    static let channel = "events"
    static let outboxChannel = "outbox"
    /// How our own events name their sender.
    static let ownSender = "platform-admin"

    private static let batch = 500

    // MARK: Adding

    /// Notes an event in the transaction of the change that it tells of.
    static func note(_ type: String, in stream: EventStream, _ payload: [String: String?], on db: some Database) async throws {
        try await db.execute("INSERT INTO outbox (stream, type, payload) VALUES (\(stream.rawValue), \(type), \(PostgresJSON(payload)))")
        _ = try await db.query("SELECT pg_notify(\(outboxChannel), '')")
    }

    /// Moves what was noted to the streams; true when nothing is left.
    func publish() async throws -> Bool {
        let noted = try await pool.query("SELECT DISTINCT stream FROM outbox").compactMap {
            EventStream(rawValue: try $0.get("stream"))
        }
        var isDone = true
        for stream in noted {
            let moved = try await pool.transaction { db in
                try await Self.hold(stream, on: db)
                let moved = try await db.execute(
                    """
                    WITH s AS MATERIALIZED (
                        SELECT position, greatest(clock_timestamp(), at) AS at FROM event_streams WHERE name = \(stream.rawValue)
                    ), moved AS (
                        DELETE FROM outbox WHERE id IN (
                            SELECT id FROM outbox WHERE stream = \(stream.rawValue) ORDER BY id LIMIT \(Self.batch))
                        RETURNING id, type, payload
                    )
                    INSERT INTO events (stream, position, at, sender, type, cluster_name, org_name, project_name, user_name)
                    SELECT \(stream.rawValue), s.position + m.n, s.at + m.n * interval '1 microsecond', \(Self.ownSender), m.type,
                        m.payload->>'cluster', m.payload->>'org', m.payload->>'project', m.payload->>'user'
                    FROM s, (SELECT moved.*, row_number() OVER (ORDER BY id) AS n FROM moved) m
                    """)
                if moved > 0 { try await Self.advance(stream, on: db) }
                return moved
            }
            if moved == Self.batch { isDone = false }
        }
        return isDone
    }

    /// Adds what a service sent; what it sent before under the same id is answered as it stands.
    func append(_ event: NewEvent, from subscriber: EventSubscriber) async throws -> StoredEvent {
        try await pool.transaction { db in
            try await Self.hold(event.stream, on: db)
            func stored() async throws -> StoredEvent? {
                try await db.query(
                    """
                    SELECT \(StoredEvent.columns) FROM events e
                    WHERE e.stream = \(event.stream.rawValue) AND e.sender = \(subscriber.name) AND e.sent_id = \(event.id)
                    """
                ).first.map { try StoredEvent($0) }
            }
            if let known = try await stored() { return known }
            try await db.execute(
                """
                INSERT INTO events (stream, position, at, sender, type, cluster_name, org_name, project_name, user_name, extra, sent_id)
                SELECT name, position + 1, greatest(clock_timestamp(), at + interval '1 microsecond'), \(subscriber.name), \(event.type),
                    \(event.cluster), \(event.org), \(event.project), \(event.user), \(PostgresJSON(event.extra)), \(event.id)
                FROM event_streams WHERE name = \(event.stream.rawValue)
                """)
            try await Self.advance(event.stream, on: db)
            guard let added = try await stored() else { throw PostgresError.decoding("an event vanished") }
            return added
        }
    }

    /// Until the end of the transaction nobody adds to the stream.
    static func hold(_ stream: EventStream, on db: some Database) async throws {
        _ = try await db.query("SELECT 1 FROM event_streams WHERE name = \(stream.rawValue) FOR NO KEY UPDATE")
    }

    private static func advance(_ stream: EventStream, on db: some Database) async throws {
        try await db.execute(
            """
            UPDATE event_streams s SET position = e.position, at = e.at
            FROM (SELECT position, at FROM events WHERE stream = \(stream.rawValue) ORDER BY position DESC LIMIT 1) e
            WHERE s.name = \(stream.rawValue)
            """)
        _ = try await db.query("SELECT pg_notify(\(channel), \(stream.rawValue))")
    }

    // MARK: Reading

    /// The position of the newest event.
    func end(of stream: EventStream) async throws -> Int64 {
        try await pool.query("SELECT position FROM event_streams WHERE name = \(stream.rawValue)").first?.get("position") ?? 0
    }

    /// The position of the last event that is not later than a time.
    func position(of stream: EventStream, at time: Date) async throws -> Int64 {
        try await pool.query(
            "SELECT coalesce(max(position), 0) AS position FROM events WHERE stream = \(stream.rawValue) AND at <= \(time)"
        ).first?.get("position") ?? 0
    }

    static func events(of stream: EventStream, after position: Int64, limit: Int, on db: some Database) async throws -> [StoredEvent] {
        try await db.query(
            """
            SELECT \(StoredEvent.columns) FROM events e WHERE e.stream = \(stream.rawValue) AND e.position > \(position)
            ORDER BY e.position LIMIT \(limit)
            """
        ).map { try StoredEvent($0) }
    }

    // MARK: Forgetting

    /// Removes what is too old or too much, a bounded batch at a time; true when nothing is left to remove.
    func sweep(_ retention: EventRetention) async throws -> Bool {
        try await pool.execute("DELETE FROM event_groups WHERE seen_at < now() - make_interval(days => \(retention.groupDays))")
        try await pool.execute("DELETE FROM event_sessions WHERE seen_at < now() - interval '1 day'")
        return try await pool.execute(
            """
            DELETE FROM events WHERE (stream, position) IN (
                SELECT e.stream, e.position FROM events e JOIN event_streams s ON s.name = e.stream
                WHERE e.at < now() - make_interval(days => \(retention.days)) OR e.position <= s.position - \(retention.count)
                LIMIT 5000)
            """) < 5_000
    }
}

/// What is kept.
struct EventRetention: Sendable {
    var days = 30
    /// Of one stream.
    var count = 100_000
    /// Days after which a group that nobody asks for is forgotten.
    var groupDays = 7
}
