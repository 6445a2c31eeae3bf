import PlatformModel

/// The part of a job that never changes once it is stored. The container was validated and made canonical before: the URI that was
/// checked is the URI that is mounted.
struct JobSpec: Hashable, Codable, Sendable {
    var container: JobContainer
    /// Names of `container.env` and `container.secretEnv` in request order, the order in which the container gets them.
    var environmentOrder: [String] = []
    var description: String?
    var presetName: String?
    /// Whether the resources were taken from the preset, so that its price is the job's.
    var fromPreset = false
    var schedulerEnabled = false
    var preemptibleNode = false
    var passConfig = false
    var privileged = false
    /// Admitted by the scheduler when a place is free, instead of refused at creation.
    var waitsForQuota = false
    var restartPolicy = JobRestartPolicy.never
    var priority = JobPriority.normal
    /// Seconds, fractions kept as submitted.
    var scheduleTimeout: Double?
    /// Only of scheduler-enabled jobs. nil: the schedule called `default`.
    var energyScheduleName: String?

    /// Whether a lost pod is replaced by a new attempt instead of ending the job.
    var isRestartable: Bool { schedulerEnabled || preemptibleNode || restartPolicy != .never }
}
