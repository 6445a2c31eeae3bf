/// Where a job stands. Declared in the canonical order of the values.
public enum JobStatus: String, Codable, Hashable, Sendable, CaseIterable {
    /// Accepted; waits for quota, schedule, node, image …
    case pending
    /// A scheduler-enabled job pushed out for a while.
    case suspended
    /// The container runs, or is being restarted.
    case running
    case succeeded
    case cancelled
    case failed

    /// Succeeded, cancelled or failed: nothing follows.
    public var isFinished: Bool { self == .succeeded || self == .cancelled || self == .failed }
}

/// When the container is started again after it ended.
public enum JobRestartPolicy: String, Codable, Hashable, Sendable, CaseIterable {
    case never
    case onFailure = "on-failure"
    case always
}

/// Order of starting.
public enum JobPriority: String, Codable, Hashable, Sendable, CaseIterable, Comparable {
    case low, normal, high

    private var rank: Int {
        switch self {
        case .low: 0
        case .normal: 1
        case .high: 2
        }
    }

    public static func < (a: JobPriority, b: JobPriority) -> Bool { a.rank < b.rank }
}

/// Reasons of a status that code compares; any other text is shown to people as it is.
public enum JobStatusReason {
    public static let creating = "Creating"
    public static let scheduling = "Scheduling"
    public static let pulling = "Pulling"
    public static let containerCreating = "ContainerCreating"
    public static let podInitializing = "PodInitializing"
    public static let errImagePull = "ErrImagePull"
    public static let imagePullBackOff = "ImagePullBackOff"
    public static let invalidImageName = "InvalidImageName"
    public static let clusterScalingUp = "ClusterScalingUp"
    public static let diskUnavailable = "DiskUnavailable"
    /// Of status running; the client counts restarts by it.
    public static let restarting = "Restarting"
    public static let completed = "Completed"
    public static let error = "Error"
    public static let oomKilled = "OOMKilled"
    public static let containerCannotRun = "ContainerCannotRun"
    public static let collected = "Collected"
    public static let notFound = "NotFound"
    public static let clusterNotFound = "ClusterNotFound"
    public static let clusterScaleUpFailed = "ClusterScaleUpFailed"
    public static let userRequested = "UserRequested"
    public static let lifeSpanEnded = "LifeSpanEnded"
    public static let quotaExhausted = "QuotaExhausted"
}
