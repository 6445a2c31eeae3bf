/// Where a job stands, in the order in which clients list the values (jobs-api.md 14.7).
enum JobStatus: String, Codable, CaseIterable, Sendable {
    case pending, suspended, running, succeeded, cancelled, failed

    /// Nothing may follow: the job's story has ended.
    var isFinished: Bool {
        switch self {
        case .pending, .suspended, .running: false
        case .succeeded, .cancelled, .failed: true
        }
    }

    static let active: [JobStatus] = [.pending, .suspended, .running]
    static let finished: [JobStatus] = [.succeeded, .cancelled, .failed]
}

enum JobRestartPolicy: String, Codable, CaseIterable, Sendable {
    case never, always
    case onFailure = "on-failure"
}

enum JobPriority: String, Codable, CaseIterable, Comparable, Sendable {
    case low, normal, high

    private var rank: Int {
        switch self {
        case .low: -1
        case .normal: 0
        case .high: 1
        }
    }

    static func < (left: JobPriority, right: JobPriority) -> Bool { left.rank < right.rank }
}
