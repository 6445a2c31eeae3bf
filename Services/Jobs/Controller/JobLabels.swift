/// Labels of everything that is made for a job, each fact under an old and a new key (jobs-orchestration.md 4.6).
enum JobLabels {
    static let job = "platform.apolo.us/job"
    static let injectStorage = "platform.apolo.us/inject-storage"
    private static let prefixes = ["platform.neuromation.io/", "platform.apolo.us/"]

    static func pod(_ job: JobRecord, isExternal: Bool) -> [String: String] {
        var labels = both(["job": job.id.text, "user": user(job), "org": job.org, "project": job.project])
        if let preset = job.spec.presetName { labels.merge(both(["preset": preset])) { $1 } }
        if isExternal { labels.merge(both(["external": "true"])) { $1 } }
        if !job.spec.container.volumes.isEmpty { labels[injectStorage] = "true" }
        return labels
    }

    /// What the Ingresses of an owner's jobs of one name have in common.
    static func named(_ job: JobRecord, _ name: String) -> [String: String] { both(["user": user(job), "job-name": name]) }

    /// What all objects of a job have in common.
    static func own(_ job: JobRecord) -> [String: String] { both(["job": job.id.text]) }

    private static func user(_ job: JobRecord) -> String { job.owner.replacing("/", with: "--") }

    private static func both(_ facts: [String: String]) -> [String: String] {
        var labels: [String: String] = [:]
        for (key, value) in facts { for prefix in prefixes { labels[prefix + key] = value } }
        return labels
    }
}
