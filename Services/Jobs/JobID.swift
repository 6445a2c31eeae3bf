import Foundation

/// `job-` and a random UUID in lower case (jobs-api.md 14.1). Any text may be asked for; only these are made.
struct JobID: Hashable, Codable, Sendable, CustomStringConvertible {
    let text: String

    init(_ text: String) { self.text = text }

    static func random() -> JobID { JobID("job-" + UUID().uuidString.lowercased()) }

    /// In permission URIs the last segment is an id if it starts so, else a job name; therefore no name may.
    static let prefix = "job-"

    var description: String { text }

    init(from decoder: any Decoder) throws { text = try String(from: decoder) }
    func encode(to encoder: any Encoder) throws { try text.encode(to: encoder) }
}

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
