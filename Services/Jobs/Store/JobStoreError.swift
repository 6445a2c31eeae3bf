import PlatformModel

/// Why the store did not do as asked. Anything else that it throws is the database being away.
enum JobStoreError: Error {
    /// Somebody else's change came first.
    case changed(JobRecord)
    /// An active job has the name already; nil when it belongs to another project (whose hash is the same).
    case nameTaken(by: JobID?)
    case noSuchJob(JobID)
    /// Another process leads the cluster by now: nothing was written, and the caller must stop at once.
    case leaseLost
    /// The jobs that count against a quota are as many as it allows.
    case quotaExceeded(JobQuotaScope)
}

/// Whose number of active jobs is bounded.
enum JobQuotaScope: Hashable, Sendable {
    case user(String)
    case org(String)
}
