import Foundation
import Logging
import PlatformModel
import Postgres

/// The job records in Postgres. A change reads the row, applies events to it by the rules of `JobRecord.apply`, and writes it back only if
/// nobody wrote in between (`version`) and, for a controller, only while it leads (`JobLease`).
struct JobStore: Sendable {
    let pool: PostgresPool
    let logger: Logger

    /// Channel on which every change is announced; the payload is a `JobChangeNotice`.
    static let changesChannel = "jobs_changed"

    /// A change that lost against another one is tried again this often before it is given up.
    private static let attempts = 10
}

/// What the database announces on `JobStore.changesChannel`.
struct JobChangeNotice: Decodable, Sendable {
    let cluster: String
    let id: JobID
    let version: Int64
}

/// A stored change and what has to follow it.
struct JobChange: Sendable {
    let record: JobRecord
    let effects: [JobEffect]
    /// False when the events changed nothing and therefore nothing was written.
    let written: Bool
}

// MARK: - Reading

extension JobStore {
    func job(_ id: JobID) async throws -> JobRecord? {
        try await pool.query("SELECT \(JobRow.columns) FROM jobs WHERE id = \(id.text)").first.map(JobRow.record)
    }

    /// The newest job of that name that belongs to exactly this principal, whatever its status.
    func newest(named name: String, owner: String) async throws -> JobRecord? {
        try await pool.query(
            """
            SELECT \(JobRow.columns) FROM jobs WHERE name = \(name) AND owner = \(owner)
            ORDER BY created_at DESC, id DESC LIMIT 1
            """
        ).first.map(JobRow.record)
    }

    /// Everything that the controller of a cluster has to look after: jobs that have not ended, and ended ones that have not left the cluster.
    func inWork(cluster: String) async throws -> [JobRecord] {
        try await pool.query(
            """
            SELECT \(JobRow.columns) FROM jobs
            WHERE cluster_name = \(cluster) AND (materialized OR status IN ('pending', 'suspended', 'running'))
            ORDER BY created_at, id
            """
        ).map(JobRow.record)
    }

    /// Jobs that have not ended, of all clusters, for the policies.
    func active() async throws -> [JobRecord] {
        try await pool.query(
            "SELECT \(JobRow.columns) FROM jobs WHERE status IN ('pending', 'suspended', 'running') ORDER BY created_at, id"
        ).map(JobRow.record)
    }

    /// Active jobs that ran longer than they may, by the database's clock. Only running time counts.
    func overdue() async throws -> [JobRecord] {
        let now = try await now()
        return try await pool.query(
            """
            SELECT \(JobRow.columns) FROM jobs
            WHERE status IN ('pending', 'suspended', 'running') AND max_run_time_minutes IS NOT NULL ORDER BY created_at, id
            """
        ).map(JobRow.record).filter { $0.isOverdue(at: now) }
    }

    /// Clusters that have jobs to look after.
    func clustersInWork() async throws -> [String] {
        try await pool.query(
            "SELECT DISTINCT cluster_name FROM jobs WHERE materialized OR status IN ('pending', 'suspended', 'running')"
        ).map { try $0.get("cluster_name") }
    }

    /// Ended jobs that left the cluster and whose pass-config grant is not noted as taken back.
    func withLeftGrants(limit: Int) async throws -> [JobRecord] {
        try await pool.query(
            """
            SELECT \(JobRow.columns) FROM jobs
            WHERE finished_at IS NOT NULL AND NOT materialized AND (spec->>'passConfig')::boolean
                AND notes->>'\(raw: JobEffects.revokedNote)' IS NULL
            ORDER BY finished_at LIMIT \(limit)
            """
        ).map(JobRow.record)
    }

    func countActive(cluster: String, owner: String) async throws -> Int {
        try await count(
            """
            SELECT count(*) AS jobs FROM jobs
            WHERE status IN ('pending', 'suspended', 'running') AND cluster_name = \(cluster) AND owner = \(owner)
            """)
    }

    func countActive(cluster: String, org: String) async throws -> Int {
        try await count(
            """
            SELECT count(*) AS jobs FROM jobs
            WHERE status IN ('pending', 'suspended', 'running') AND cluster_name = \(cluster) AND org_name = \(org)
            """)
    }

    private func count(_ query: PostgresQuery) async throws -> Int {
        try await pool.query(query).first?.get("jobs") ?? 0
    }

    /// Finished jobs that left the cluster, ended before the given age and are not marked yet, oldest first.
    func forgettable(olderThan age: Duration, limit: Int) async throws -> [JobID] {
        try await pool.query(
            """
            SELECT id FROM jobs
            WHERE finished_at < clock_timestamp() - \(Int(age.components.seconds)) * interval '1 second'
                AND NOT materialized AND NOT being_dropped
            ORDER BY finished_at, id LIMIT \(limit)
            """
        ).map { JobID(checked: try $0.get("id")) }
    }

    /// The clock of everything that is compared.
    func now() async throws -> UTCTime {
        try UTCTime(await pool.query("SELECT clock_timestamp() AS now").first?.get("now") ?? Date())
    }
}

// MARK: - Changing

extension JobStore {
    /// Applies events in order, all or none.
    ///
    /// - Parameters:
    ///   - lease: given by a controller; `JobStoreError.leaseLost` if another process leads the cluster by now.
    ///   - retrying: whether to apply the events anew to what somebody else made of the record; otherwise `JobStoreError.changed`.
    /// - Throws: `JobRuleViolation` as the rules say, `JobStoreError.noSuchJob`.
    @discardableResult
    func apply(_ events: [JobEvent], to id: JobID, under lease: JobLease? = nil, retrying: Bool = true) async throws -> JobChange {
        let token = UUID()
        for _ in 1...Self.attempts {
            guard let (before, _, now) = try await readForChange(id) else { throw JobStoreError.noSuchJob(id) }
            var after = before
            var effects: [JobEffect] = []
            for event in events { effects += try after.apply(event, at: now) }
            if after == before { return JobChange(record: before, effects: [], written: false) }
            after.version += 1
            do {
                if try await write(after, effects: effects, token: token, lease: lease) {
                    return JobChange(record: after, effects: effects, written: true)
                }
            } catch PostgresError.unavailable(_, mayHaveRun: true) {
                // Was it stored before the connection broke? A deleted row answers by being gone.
                guard let found = try await readForChange(id) else {
                    if effects.contains(.recordRemoved) { return JobChange(record: after, effects: effects, written: true) }
                    throw JobStoreError.noSuchJob(id)
                }
                if found.lastChange == token { return JobChange(record: found.record, effects: effects, written: true) }
                continue
            }
            if let lease, try await !holds(lease) { throw JobStoreError.leaseLost }
            if !retrying { throw JobStoreError.changed(before) }
        }
        guard let record = try await job(id) else { throw JobStoreError.noSuchJob(id) }
        throw JobStoreError.changed(record)
    }

    private func readForChange(_ id: JobID) async throws -> (record: JobRecord, lastChange: UUID, now: UTCTime)? {
        let rows = try await pool.query(
            "SELECT \(JobRow.columns), last_change, clock_timestamp() AS now FROM jobs WHERE id = \(id.text)")
        return try rows.first.map { (try JobRow.record($0), try $0.get("last_change"), UTCTime(try $0.get("now", as: Date.self))) }
    }

    /// One statement, so that nothing can come between the conditions and the change. The lease row is locked for its length: a takeover
    /// waits for the change, or the change sees the takeover.
    private func write(_ job: JobRecord, effects: [JobEffect], token: UUID, lease: JobLease?) async throws -> Bool {
        let condition = PostgresQuery("id = \(job.id.text) AND version = \(job.version - 1)")
        let fence: PostgresQuery
        let guarded: PostgresQuery
        if let lease {
            fence = """
                WITH lease AS MATERIALIZED (
                    SELECT 1 FROM leases WHERE cluster_name = \(lease.cluster) AND holder = \(lease.holder) AND epoch = \(lease.epoch)
                        AND cluster_name = \(job.cluster) AND expires_at > clock_timestamp() FOR SHARE
                )
                """
            guarded = "\(condition) AND EXISTS (SELECT FROM lease)"
        } else {
            fence = ""
            guarded = condition
        }
        if effects.contains(.recordRemoved) {
            return try await pool.execute("\(fence) DELETE FROM jobs WHERE \(guarded)") > 0
        }
        return try await pool.execute(
            """
            \(fence) UPDATE jobs SET
                status = \(job.status.rawValue), finished_at = \(job.history.finishedAt?.date), materialized = \(job.materialized),
                being_dropped = \(job.beingDropped), logs_removed = \(job.logsRemoved),
                max_run_time_minutes = \(job.maxRunTimeMinutes), attempt = \(job.attempt), version = \(job.version),
                last_change = \(token), history = \(PostgresJSON(job.history)), notes = \(PostgresJSON(job.notes))
            WHERE \(guarded)
            """) > 0
    }

    private func holds(_ lease: JobLease) async throws -> Bool {
        try await !pool.query(
            """
            SELECT 1 AS held FROM leases WHERE cluster_name = \(lease.cluster) AND holder = \(lease.holder) AND epoch = \(lease.epoch)
                AND expires_at > clock_timestamp()
            """
        ).isEmpty
    }
}
