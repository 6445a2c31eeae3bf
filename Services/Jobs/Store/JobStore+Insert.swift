import Foundation
import PlatformModel
import Postgres

/// How many active jobs there may be, checked in the transaction that adds one more.
struct JobQuota: Hashable, Sendable {
    let scope: JobQuotaScope
    let limit: Int
}

extension JobStore {
    /// Stores a new job; its first item's time is the database's. A repeat after a lost answer finds the row of the first try.
    ///
    /// - Throws: `JobStoreError.nameTaken`, `.quotaExceeded`, `.changed` (the id exists, made by somebody else).
    @discardableResult
    func insert(_ draft: JobRecord, quotas: [JobQuota] = []) async throws -> JobRecord {
        let token = UUID()
        for _ in 1...10 {
            do {
                return try await insertOnce(draft, quotas: quotas, token: token)
            } catch PostgresError.unavailable(_, mayHaveRun: true) {
                if let stored = try await stored(draft.id, by: token) { return stored }
            } catch PostgresError.server(let error) where error.sqlState == "23505" && error.constraint == "jobs_active_name_uq" {
                // The holder may have ended meanwhile: then the name is free again.
                guard let holder = try await holder(ofNameOf: draft) else { continue }
                throw JobStoreError.nameTaken(by: holder.isSameProject ? holder.id : nil)
            } catch PostgresError.server(let error) where error.sqlState == "23505" {
                guard let stored = try await stored(draft.id, by: token) else { throw JobStoreError.changed(draft) }
                return stored
            }
        }
        throw JobStoreError.changed(draft)
    }

    private func insertOnce(_ draft: JobRecord, quotas: [JobQuota], token: UUID) async throws -> JobRecord {
        try await pool.transaction { connection in
            for quota in quotas { try await check(quota, cluster: draft.cluster, on: connection) }
            var job = draft
            let now: Date = try await connection.query("SELECT clock_timestamp() AS now").first?.get("now") ?? Date()
            job.history = JobStatusHistory(JobStatusItem(draft.history.first.report, at: UTCTime(now)))
            job.version = 1
            try await connection.execute(
                """
                INSERT INTO jobs (
                    id, owner, name, cluster_name, org_name, project_name, org_project_hash, namespace, tags, status, created_at,
                    finished_at, materialized, being_dropped, logs_removed, max_run_time_minutes, attempt, version, last_change,
                    history, spec, notes
                ) VALUES (
                    \(job.id.text), \(job.owner), \(job.name), \(job.cluster), \(job.org), \(job.project), \(job.orgProjectHash),
                    \(job.namespace), \(job.tags), \(job.status.rawValue), \(job.history.createdAt.date), \(job.history.finishedAt?.date),
                    \(job.materialized), \(job.beingDropped), \(job.logsRemoved), \(job.maxRunTimeMinutes), \(job.attempt),
                    \(job.version), \(token), \(PostgresJSON(job.history)), \(PostgresJSON(job.spec)), \(PostgresJSON(job.notes))
                )
                """)
            return job
        }
    }

    /// Counting and inserting are one step: creations that count against the same quota wait for each other. The lock is taken before the
    /// count's snapshot, and quotas come in a fixed order (user, then org), so that two creations cannot wait for each other both ways.
    private func check(_ quota: JobQuota, cluster: String, on connection: PostgresConnection) async throws {
        let (key, condition): (String, PostgresQuery) =
            switch quota.scope {
            case .user(let name): ("user/\(cluster)/\(name)", "owner = \(name)")
            case .org(let name): ("org/\(cluster)/\(name)", "org_name = \(name)")
            }
        _ = try await connection.query("SELECT pg_advisory_xact_lock(hashtextextended(\(key), 0))")
        let count: Int =
            try await connection.query(
                """
                SELECT count(*) AS jobs FROM jobs
                WHERE status IN ('pending', 'suspended', 'running') AND cluster_name = \(cluster) AND \(condition)
                """
            ).first?.get("jobs") ?? 0
        guard count < quota.limit else { throw JobStoreError.quotaExceeded(quota.scope) }
    }

    private func stored(_ id: JobID, by token: UUID) async throws -> JobRecord? {
        try await pool.query("SELECT \(JobRow.columns) FROM jobs WHERE id = \(id.text) AND last_change = \(token)")
            .first.map(JobRow.record)
    }

    private func holder(ofNameOf draft: JobRecord) async throws -> (id: JobID, isSameProject: Bool)? {
        try await pool.query(
            """
            SELECT id, org_name = \(draft.org) AND project_name = \(draft.project) AS same_project FROM jobs
            WHERE status IN ('pending', 'suspended', 'running') AND cluster_name = \(draft.cluster)
                AND org_project_hash = \(draft.orgProjectHash) AND name = \(draft.name)
            """
        ).first.map { (id: JobID(checked: try $0.get("id")), isSameProject: try $0.get("same_project")) }
    }
}
