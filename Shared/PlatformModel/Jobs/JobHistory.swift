/// The `history` object of a job: what its status items add up to.
public struct JobHistory: Hashable, Sendable, Codable {
    public var status: JobStatus
    public var reason: String?
    public var description: String?
    public var createdAt: UTCTime
    public var startedAt: UTCTime?
    public var finishedAt: UTCTime?
    public var exitCode: Int?
    /// Seconds in status running, all periods added up.
    public var runTimeSeconds: Double
    public var restarts: Int

    /// Derives the object from `items`, oldest first. nil when there are none. `now` ends a period that still runs.
    public init?(_ items: [JobStatusItem], now: UTCTime) {
        guard let first = items.first, let current = items.last else { return nil }
        status = current.status
        reason = current.reason
        description = current.description
        exitCode = current.exitCode
        createdAt = first.transitionTime
        startedAt = (items.first { $0.status == .running } ?? items.first { $0.status.isFinished })?.transitionTime
        finishedAt = current.status.isFinished ? current.transitionTime : nil
        runTimeSeconds = Self.runTime(items, now: now)
        restarts = items.count { $0.reason == JobStatusReason.restarting } + items.count { $0.status == .suspended }
    }

    /// Seconds between each running item and the item after it, or `now`.
    public static func runTime(_ items: [JobStatusItem], now: UTCTime) -> Double {
        var seconds = 0.0
        for (index, item) in items.enumerated() where item.status == .running {
            let end = index + 1 < items.count ? items[index + 1].transitionTime : now
            seconds += max(0, end.seconds(since: item.transitionTime))
        }
        return seconds
    }

    enum CodingKeys: String, CodingKey {
        case status, reason, description, restarts
        case createdAt = "created_at"
        case startedAt = "started_at"
        case finishedAt = "finished_at"
        case exitCode = "exit_code"
        case runTimeSeconds = "run_time_seconds"
    }

    /// `reason` and `description` are always written, as `null` when there is none.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(status, forKey: .status)
        try container.encode(reason, forKey: .reason)
        try container.encode(description, forKey: .description)
        try container.encode(createdAt, forKey: .createdAt)
        try container.encodeIfPresent(startedAt, forKey: .startedAt)
        try container.encodeIfPresent(finishedAt, forKey: .finishedAt)
        try container.encodeIfPresent(exitCode, forKey: .exitCode)
        try container.encode(runTimeSeconds, forKey: .runTimeSeconds)
        try container.encode(restarts, forKey: .restarts)
    }
}
