/// The reasons that this service itself gives or compares with (jobs-orchestration.md 5.6). A reason is free text: what a container
/// runtime says is passed through.
enum JobReason {
    static let creating = "Creating"
    static let restarting = "Restarting"
    static let collected = "Collected"
    static let clusterScaleUpFailed = "ClusterScaleUpFailed"
    static let clusterNotFound = "ClusterNotFound"
    static let userRequested = "UserRequested"
    static let lifeSpanEnded = "LifeSpanEnded"
    static let quotaExhausted = "QuotaExhausted"
    static let notFound = "NotFound"
}
