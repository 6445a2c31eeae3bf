import PlatformModel

/// Everything that can happen to a stored job, whoever says so: a user, a policy or the controller.
enum JobEvent: Hashable, Sendable {
    /// The controller, or the internal status endpoint, saw this.
    case reported(JobStatusReport)
    /// Ends an active job; does nothing to a finished one.
    case cancelled(reason: String?)
    /// Objects of the current attempt exist in the cluster, or do no longer.
    case materialized(Bool)
    /// The attempt was lost and the job shall be tried again under the next attempt's names.
    case restarted
    case runTimeLimited(minutes: Int)
    case runTimeExtended(minutes: Int)
    case dropped
    case logsRemoved
    /// The controller's own memory.
    case noted(key: String, value: String?)
}

/// What has to follow once the change is stored.
enum JobEffect: Hashable, Sendable {
    /// The current item changed: tell whoever follows jobs.
    case statusChanged(from: JobStatusItem, to: JobStatusItem)
    /// The job ended and left the cluster: the token it carried must die.
    case passConfigRevoked
    /// All traces are gone: the row goes too.
    case recordRemoved
}

enum JobRuleViolation: Error, Hashable {
    /// Nothing may follow a terminal status.
    case invalidTransition
    /// Only a finished job that left the cluster may be dropped, otherwise a running pod would lose its record.
    case notDroppable(JobID)
    case notBeingDropped(JobID)
}

extension JobRecord {
    /// The whole rule book: a pure function of record, event and time, used by the routes, the policies and the controller alike.
    mutating func apply(_ event: JobEvent, at now: UTCTime) throws(JobRuleViolation) -> [JobEffect] {
        let before = history.current
        let wasGone = isFinished && !materialized
        var effects: [JobEffect] = []
        switch event {
        case .reported(let report):
            if try history.append(report, at: now) { effects.append(.statusChanged(from: before, to: history.current)) }
        case .cancelled(let reason):
            if !isFinished, try history.append(JobStatusReport(.cancelled, reason: reason), at: now) {
                effects.append(.statusChanged(from: before, to: history.current))
            }
        case .materialized(let flag):
            materialized = flag
        case .restarted:
            guard !isFinished else { throw .invalidTransition }
            attempt += 1
            materialized = false
        case .runTimeLimited(let minutes):
            maxRunTimeMinutes = minutes
        case .runTimeExtended(let minutes):
            // No limit counts as 0 (jobs-api.md 11): adding to an unlimited job makes it a limited one.
            let (sum, overflow) = (maxRunTimeMinutes ?? 0).addingReportingOverflow(minutes)
            maxRunTimeMinutes = overflow ? .max : sum
        case .dropped:
            guard isFinished, !materialized else { throw .notDroppable(id) }
            beingDropped = true
        case .logsRemoved:
            guard beingDropped else { throw .notBeingDropped(id) }
            logsRemoved = true
            effects.append(.recordRemoved)
        case .noted(let key, let value):
            notes[key] = value
        }
        if spec.passConfig, isFinished, !materialized, !wasGone { effects.append(.passConfigRevoked) }
        return effects
    }
}
