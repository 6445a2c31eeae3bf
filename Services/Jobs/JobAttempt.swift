import PlatformModel

/// One try at running a job in its cluster. A pod that was lost is not made again under its name: the next attempt has a name of its own,
/// so that nothing done for the old one can hit the new one.
struct JobAttempt: Hashable, Sendable, CustomStringConvertible {
    let job: JobID
    /// 1 for the first.
    let number: Int

    /// Name of the attempt's pod: the job id itself for the first (jobs-orchestration.md 3.1).
    var podName: String { number <= 1 ? job.text : "\(job.text)-\(number)" }

    var description: String { podName }
}
