/// Why a job cannot be started, ever: it fails with this as its reason (jobs-orchestration.md 5.6).
enum JobStartRefusal: Error, Hashable {
    case unschedulable
    case missingSecrets([String])
    case missingDisks([String])
    case invalidCommand
    /// The job would have to do without storage that it asks for.
    case storage(String)
    case invalidTPU(String)
    /// The API server found the objects themselves wrong.
    case invalidObjects
    /// The API server refused for another reason.
    case refused

    var reason: String {
        switch self {
        case .unschedulable: "Job cannot be scheduled"
        case .missingSecrets(let keys): "Missing secrets: " + Self.list(keys)
        case .missingDisks(let disks): "Missing disks: " + Self.list(disks)
        case .invalidCommand: "invalid command format"
        case .storage(let why): "storage volumes cannot be mounted on this cluster: \(why)"
        case .invalidTPU(let type): "invalid TPU type format: '\(type)'"
        case .invalidObjects: "cant create job"
        case .refused: "unexpected error"
        }
    }

    var report: JobStatusReport { JobStatusReport(.failed, reason: reason, description: "The job could not be started.") }

    private static func list(_ names: [String]) -> String { names.sorted().map { "'\($0)'" }.joined(separator: ", ") }
}
