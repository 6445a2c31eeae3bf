import PlatformModel

/// What somebody says of a job: a status without the time, which is the database's clock when it is written down.
struct JobStatusReport: Hashable, Sendable {
    var status: JobStatus
    var reason: String?
    var description: String?
    var exitCode: Int?

    init(_ status: JobStatus, reason: String? = nil, description: String? = nil, exitCode: Int? = nil) {
        self.status = status
        self.reason = reason
        self.description = description
        self.exitCode = exitCode
    }
}

extension JobStatusItem {
    init(_ report: JobStatusReport, at time: UTCTime) {
        self.init(report.status, at: time, reason: report.reason, description: report.description, exitCode: report.exitCode)
    }

    /// The item without its time.
    var report: JobStatusReport { JobStatusReport(status, reason: reason, description: description, exitCode: exitCode) }
}

extension JobStatus {
    static let active: [JobStatus] = [.pending, .suspended, .running]
    static let finished: [JobStatus] = [.succeeded, .cancelled, .failed]
}
