import Foundation
import PlatformModel
import Postgres

/// The place in a list after which the next batch begins.
struct JobListCursor: Hashable, Sendable {
    let createdAt: UTCTime
    let id: String
}

struct JobBatch: Sendable {
    let jobs: [JobRecord]
    /// nil when this was the last.
    let next: JobListCursor?

    static let empty = JobBatch(jobs: [], next: nil)
}

extension JobStore {
    /// One batch of a list by (creation time, id). Batches, not a cursor: a slow reader holds no connection. A row that cannot be read is
    /// left out and reported, so that it does not spoil the lists of everybody.
    func list(
        _ filter: JobFilter, visibleTo visibility: JobVisibility, reverse: Bool, limit: Int, after cursor: JobListCursor? = nil
    ) async throws -> JobBatch {
        if visibility.isEmpty { return .empty }
        var conditions = Self.conditions(filter)
        if let visible = Self.condition(visibility) { conditions.append(visible) }
        if let cursor {
            conditions.append(
                "(created_at, id) \(raw: reverse ? "<" : ">") (\(cursor.createdAt.date)::timestamptz, \(cursor.id)::text)")
        }
        let order = reverse ? "created_at DESC, id DESC" : "created_at, id"
        let rows = try await pool.query(
            """
            SELECT \(JobRow.columns), created_at FROM jobs \(Self.whereClause(conditions)) ORDER BY \(raw: order) LIMIT \(limit)
            """)
        let jobs = rows.compactMap { row in
            do {
                return try JobRow.record(row)
            } catch {
                logger.error("A stored job cannot be read", metadata: ["job": "\((try? row.get("id", as: String.self)) ?? "?")"])
                return nil
            }
        }
        guard rows.count == limit, let last = rows.last else { return JobBatch(jobs: jobs, next: nil) }
        return JobBatch(
            jobs: jobs, next: JobListCursor(createdAt: UTCTime(try last.get("created_at", as: Date.self)), id: try last.get("id")))
    }

    private static func whereClause(_ conditions: [PostgresQuery]) -> PostgresQuery {
        conditions.isEmpty ? "" : "WHERE \(joined(conditions, by: " AND "))"
    }

    private static func joined(_ parts: [PostgresQuery], by separator: String) -> PostgresQuery {
        parts.enumerated().reduce(into: "" as PostgresQuery) { query, part in
            query = part.offset == 0 ? part.element : "\(query)\(raw: separator)\(part.element)"
        }
    }

    private static func conditions(_ filter: JobFilter) -> [PostgresQuery] {
        var conditions: [PostgresQuery] = []
        func any(_ column: String, _ values: Set<String>) {
            if !values.isEmpty { conditions.append("\(raw: column) = ANY(\(values.sorted())::text[])") }
        }
        any("status", Set(filter.statuses.map(\.rawValue)))
        any("owner", filter.owners)
        any("base_owner", filter.baseOwners)
        any("cluster_name", filter.clusters)
        any("org_name", filter.orgs)
        any("project_name", filter.projects)
        if let name = filter.name { conditions.append("name = \(name)") }
        if !filter.tags.isEmpty { conditions.append("tags @> \(filter.tags.sorted())::text[]") }
        if let since = filter.since { conditions.append("created_at >= \(since.date)") }
        if let until = filter.until { conditions.append("created_at <= \(until.date)") }
        if let flag = filter.materialized { conditions.append("materialized = \(flag)") }
        if let flag = filter.beingDropped { conditions.append("being_dropped = \(flag)") }
        if let flag = filter.logsRemoved { conditions.append("logs_removed = \(flag)") }
        switch filter.hostname {
        case .id(let id): conditions.append("id = \(id)")
        case .named(let name, let hash): conditions.append("name = \(name) AND org_project_hash = \(hash)")
        case nil: break
        }
        return conditions
    }

    /// nil: no condition. Tuples travel as parallel arrays, so that the statement's shape does not grow with what was shared.
    private static func condition(_ visibility: JobVisibility) -> PostgresQuery? {
        if visibility.everything { return nil }
        var scopes: [PostgresQuery] = []
        if !visibility.clusters.isEmpty { scopes.append("cluster_name = ANY(\(visibility.clusters)::text[])") }
        if !visibility.orgs.isEmpty {
            scopes.append(
                """
                (cluster_name, org_name) IN
                    (SELECT * FROM unnest(\(visibility.orgs.map(\.cluster))::text[], \(visibility.orgs.map(\.org))::text[]))
                """)
        }
        if !visibility.projects.isEmpty {
            scopes.append("(cluster_name, org_name, project_name) IN (SELECT * FROM unnest(\(columns(visibility.projects))))")
        }
        for (column, leaves) in [("id", visibility.ids), ("name", visibility.names)] where !leaves.isEmpty {
            scopes.append(
                """
                (cluster_name, org_name, project_name, \(raw: column)) IN
                    (SELECT * FROM unnest(\(columns(leaves.map(\.project))), \(leaves.map(\.key))::text[]))
                """)
        }
        return scopes.isEmpty ? "false" : "(\(joined(scopes, by: " OR ")))"
    }

    private static func columns(_ projects: [JobVisibility.Project]) -> PostgresQuery {
        "\(projects.map(\.cluster))::text[], \(projects.map(\.org))::text[], \(projects.map(\.project))::text[]"
    }
}
