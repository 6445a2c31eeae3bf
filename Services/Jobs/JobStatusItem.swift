import Foundation

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

/// One line of a job's history.
struct JobStatusItem: Hashable, Sendable {
    var report: JobStatusReport
    /// Whole microseconds, as the database keeps them.
    var transitionTime: Date

    var status: JobStatus { report.status }
    var reason: String? { report.reason }
    var description: String? { report.description }
    var exitCode: Int? { report.exitCode }

    init(_ report: JobStatusReport, at time: Date) {
        self.report = report
        self.transitionTime = Date(microseconds: time.microseconds)
    }
}

/// Stored with the time as microseconds since 1970, so that no formatter stands between a history and its equal.
extension JobStatusItem: Codable {
    private enum CodingKeys: String, CodingKey {
        case status, time, reason, description
        case exitCode = "exit_code"
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            JobStatusReport(
                try values.decode(JobStatus.self, forKey: .status),
                reason: try values.decodeIfPresent(String.self, forKey: .reason),
                description: try values.decodeIfPresent(String.self, forKey: .description),
                exitCode: try values.decodeIfPresent(Int.self, forKey: .exitCode)),
            at: Date(microseconds: try values.decode(Int64.self, forKey: .time)))
    }

    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(status, forKey: .status)
        try values.encode(transitionTime.microseconds, forKey: .time)
        try values.encodeIfPresent(reason, forKey: .reason)
        try values.encodeIfPresent(description, forKey: .description)
        try values.encodeIfPresent(exitCode, forKey: .exitCode)
    }
}

extension Date {
    /// Microseconds since 1970, rounded to the nearest: a `Date` carries them exactly for the next centuries.
    var microseconds: Int64 { Int64((timeIntervalSince1970 * 1_000_000).rounded()) }

    init(microseconds: Int64) { self.init(timeIntervalSince1970: Double(microseconds) / 1_000_000) }
}
