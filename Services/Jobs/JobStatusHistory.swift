import PlatformModel

/// The append-only story of a job, oldest item first and never empty (jobs-api.md 14.7, 14.8).
struct JobStatusHistory: Hashable, Sendable {
    private(set) var items: [JobStatusItem]

    init(_ first: JobStatusItem) { items = [first] }

    var first: JobStatusItem { items[0] }
    var current: JobStatusItem { items[items.count - 1] }
    var status: JobStatus { current.status }
    var isFinished: Bool { status.isFinished }

    var createdAt: UTCTime { first.transitionTime }
    var finishedAt: UTCTime? { isFinished ? current.transitionTime : nil }

    /// Start of the latest unbroken stretch of running, nil unless running now: what the scheduler's quantum is counted from.
    var runningSince: UTCTime? {
        items.reversed().prefix { $0.status == .running }.last?.transitionTime
    }

    /// Microseconds spent in items that say running, up to `now`. Waiting does not count.
    func runTime(until now: UTCTime) -> Int64 {
        var total: Int64 = 0
        for (index, item) in items.enumerated() where item.status == .running {
            let end = index + 1 < items.count ? items[index + 1].transitionTime : now
            total += max(0, end.microseconds - item.transitionTime.microseconds)
        }
        return total
    }

    /// First item in the whole history with one of these reasons (the image pull delay is counted from it).
    func earliest(reasons: Set<String>) -> JobStatusItem? {
        items.first { $0.reason.map(reasons.contains) ?? false }
    }

    /// Writes down what was reported. An item that equals the current one in everything but the time is dropped, and nothing may
    /// follow a terminal one.
    /// - Returns: whether anything was written.
    mutating func append(_ report: JobStatusReport, at time: UTCTime) throws(JobRuleViolation) -> Bool {
        if report == current.report { return false }
        guard !isFinished else { throw .invalidTransition }
        // Clocks may step back; a history does not.
        items.append(JobStatusItem(report, at: max(time, current.transitionTime)))
        return true
    }
}

extension JobStatusHistory: Codable {
    init(from decoder: any Decoder) throws {
        items = try [JobStatusItem](from: decoder)
        guard !items.isEmpty else {
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "a job history cannot be empty"))
        }
    }

    func encode(to encoder: any Encoder) throws { try items.encode(to: encoder) }
}
