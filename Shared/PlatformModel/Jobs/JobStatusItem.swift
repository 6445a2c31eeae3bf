/// One entry of a job's status history.
public struct JobStatusItem: Hashable, Sendable, Codable {
    public var status: JobStatus
    public var transitionTime: UTCTime
    public var reason: String?
    public var description: String?
    public var exitCode: Int?

    public init(_ status: JobStatus, at time: UTCTime, reason: String? = nil, description: String? = nil, exitCode: Int? = nil) {
        self.status = status
        transitionTime = time
        self.reason = reason
        self.description = description
        self.exitCode = exitCode
    }

    /// Equal in everything but the time: such an item is not appended again.
    public func says(theSameAs other: JobStatusItem) -> Bool {
        status == other.status && reason == other.reason && description == other.description && exitCode == other.exitCode
    }

    enum CodingKeys: String, CodingKey {
        case status, reason, description
        case transitionTime = "transition_time"
        case exitCode = "exit_code"
    }

    /// `reason` and `description` are always written, as `null` when there is none; `exit_code` only when known.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(status, forKey: .status)
        try container.encode(transitionTime, forKey: .transitionTime)
        try container.encode(reason, forKey: .reason)
        try container.encode(description, forKey: .description)
        try container.encodeIfPresent(exitCode, forKey: .exitCode)
    }
}
