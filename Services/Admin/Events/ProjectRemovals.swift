import PlatformModel
import Postgres
import ServiceKit

/// The news that a project is gone, and the rule that keeps its name until what it held has been cleared away: a name is free again when every
/// group that is known and concerned has acknowledged.
enum ProjectRemovals {
    static let type = "project-remove"

    /// The event goes out with the transaction.
    static func announce(_ project: ProjectName, in place: ProjectPlace, by caller: Caller, on db: some Database) async throws {
        try await EventLog.note(
            type, in: .admin,
            ["cluster": place.cluster.text, "org": place.org?.text, "project": project.text, "user": caller.name], on: db)
    }

    /// Whether the event tells of a project that has been made again.
    static func isOverturned(_ event: StoredEvent, on db: some Database) async throws -> Bool {
        guard event.stream == .admin, event.type == type else { return false }
        return try await !db.query(
            """
            SELECT 1 FROM projects WHERE cluster_name = \(event.cluster) AND name = \(event.project)
                AND org_name IS NOT DISTINCT FROM \(event.org)::text
            """
        ).isEmpty
    }

    /// Whether somebody still has to clear away what a namesake held, or, of a project without an organization, what the projects of an
    /// organization of its name did: they shared places.
    static func arePending(_ name: ProjectName, in place: ProjectPlace, on db: some Database) async throws -> Bool {
        try await arePending(
            place.cluster,
            { org, project in
                guard place.org == nil else { return "\(project) = \(name.text) AND \(org) = \(place.org?.text)" }
                return "(\(project) = \(name.text) AND \(org) IS NULL OR \(org) = \(name.text))"
            }, on: db)
    }

    /// Whether somebody still has to clear away what a project of an organization's name held, one without an organization.
    static func arePending(_ org: OrgName, in cluster: ClusterName, on db: some Database) async throws -> Bool {
        try await arePending(cluster, { orgColumn, project in "\(project) = \(org.text) AND \(orgColumn) IS NULL" }, on: db)
    }

    private static func arePending(
        _ cluster: ClusterName, _ condition: (_ org: PostgresQuery, _ project: PostgresQuery) -> PostgresQuery, on db: some Database
    ) async throws -> Bool {
        let noted = try await db.query(
            """
            SELECT 1 FROM outbox o WHERE o.stream = \(EventStream.admin.rawValue) AND o.type = \(type)
                AND o.payload->>'cluster' = \(cluster.text) AND \(condition("(o.payload->>'org')", "(o.payload->>'project')"))
            LIMIT 1
            """)
        guard noted.isEmpty else { return true }
        // A group's filters may let it pass by what it has not come to yet.
        return try await db.query(
            """
            SELECT \(StoredEvent.columns), g.filters, g.position < e.position AS is_ahead FROM events e
            JOIN event_groups g ON g.stream = e.stream AND (g.cluster_name IS NULL OR g.cluster_name = e.cluster_name)
            WHERE e.stream = \(EventStream.admin.rawValue) AND e.type = \(type) AND e.cluster_name = \(cluster.text)
                AND \(condition("e.org_name", "e.project_name"))
                AND (g.position < e.position
                    OR EXISTS (SELECT FROM event_deliveries d WHERE d.group_id = g.id AND d.position = e.position))
            """
        ).contains { row in
            guard try row.get("is_ahead", as: Bool.self) else { return true }
            return try row.json("filters", as: EventFilters.self).admits(StoredEvent(row))
        }
    }

    /// For the transaction that makes something of the name: whoever follows events may not change that before its end.
    /// - Throws: 503 while somebody has to clear away.
    static func requireNone(on db: PostgresConnection, _ arePending: (PostgresConnection) async throws -> Bool) async throws {
        _ = try await db.query("SELECT 1 FROM event_streams WHERE name = \(EventStream.admin.rawValue) FOR SHARE")
        guard try await !arePending(db) else {
            throw PlatformError.unavailable(
                "A project of this name was removed, and what it held is still being cleared away; try again in a while.", retryAfter: 5)
        }
    }
}
