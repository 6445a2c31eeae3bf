import PlatformModel
import Postgres

/// A row of `jobs`.
enum JobRow {
    /// What `record(_:)` needs, in one place.
    static let columns = PostgresQuery(
        stringLiteral: """
            id, owner, name, cluster_name, org_name, project_name, org_project_hash, namespace, tags, materialized, being_dropped, \
            logs_removed, max_run_time_minutes, attempt, version, history, spec, notes
            """)

    static func record(_ row: PostgresRow) throws -> JobRecord {
        JobRecord(
            id: JobID(checked: try row.get("id")),
            owner: try row.get("owner"),
            name: try row.get("name", as: String?.self),
            cluster: try row.get("cluster_name"),
            org: try row.get("org_name"),
            project: try row.get("project_name"),
            orgProjectHash: try row.get("org_project_hash"),
            namespace: try row.get("namespace"),
            tags: try row.get("tags", as: [String].self),
            spec: try row.json("spec", as: JobSpec.self),
            history: try row.json("history", as: JobStatusHistory.self),
            materialized: try row.get("materialized"),
            beingDropped: try row.get("being_dropped"),
            logsRemoved: try row.get("logs_removed"),
            maxRunTimeMinutes: try row.get("max_run_time_minutes", as: Int?.self),
            attempt: try row.get("attempt"),
            notes: try row.json("notes", as: [String: String].self),
            version: try row.get("version"))
    }
}
