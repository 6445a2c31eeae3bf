import PlatformModel

/// One job as jobs-api keeps it. The routes and the controller change it only by `apply(_:at:)` and store it only through `JobStore`.
struct JobRecord: Hashable, Sendable {
    let id: JobID
    /// Full principal name of who created it.
    let owner: String
    let name: String?
    let cluster: String
    let org: String
    let project: String
    let orgProjectHash: String
    let namespace: String
    /// Sorted, without repeats.
    let tags: [String]
    let spec: JobSpec

    var history: JobStatusHistory
    /// Objects of the job exist (or may exist) in the cluster.
    var materialized = false
    var beingDropped = false
    var logsRemoved = false
    /// Minutes of running, nil for no limit.
    var maxRunTimeMinutes: Int?
    /// 1 for the first try.
    var attempt = 1
    /// What the controller notes for itself; never shown.
    var notes: [String: String] = [:]
    /// Counts the stored changes; 0 before the first insert.
    var version: Int64 = 0

    var status: JobStatus { history.status }
    var isFinished: Bool { history.isFinished }
    /// Owner without a service account suffix: whose quota and credits count.
    var baseOwner: String { Self.base(of: owner) }
    var currentAttempt: JobAttempt { JobAttempt(job: id, number: attempt) }

    /// Whether it ran strictly longer than it may.
    func isOverdue(at now: UTCTime) -> Bool {
        guard let maxRunTimeMinutes else { return false }
        // A limit beyond any life span does not overflow.
        let (limit, overflow) = Int64(maxRunTimeMinutes).multipliedReportingOverflow(by: 60_000_000)
        return !overflow && history.runTime(until: now) > limit
    }

    static func base(of principal: String) -> String {
        String(principal.prefix { $0 != "/" })
    }
}

// MARK: - Derived names

extension JobRecord {
    var uri: ResourceURI { uri(last: id.text) }

    /// The URIs by which the job may have been shared: by id, and by name if it has one.
    var uris: [ResourceURI] { [uri] + (name.map { [uri(last: $0)] } ?? []) }

    private func uri(last: String) -> ResourceURI {
        ResourceURI(.job, [cluster, org, project, last].filter { !$0.isEmpty })
    }

    /// `<name>--<hash>`: at most 52 characters, a DNS label.
    var namedHost: String? { name.map { "\($0)--\(orgProjectHash)" } }
    var internalHostname: String { "\(id).\(namespace)" }
    var internalHostnameNamed: String? { namedHost.map { "\($0).\(namespace)" } }

    /// The token that a job with `pass_config` carries is bound to this.
    var passConfigURI: ResourceURI { ResourceURI(.token, [cluster, "job", id.text]) }
}
