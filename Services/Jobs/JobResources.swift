/// What the job's container is given (jobs-api.md 6.2).
struct JobResources: Hashable, Codable, Sendable {
    /// Cores.
    var cpu: Double
    /// Bytes.
    var memory: Int64
    /// nil: not said. Clients show a job without the key as one with extended shared memory.
    var sharedMemory: Bool?
    var nvidia: JobGPU?
    var amd: JobGPU?
    var intel: JobGPU?
    /// By profile name, in request order.
    var migs: [JobMIG] = []
    var tpu: JobTPU?

    private enum CodingKeys: String, CodingKey {
        case cpu, memory, nvidia, amd, intel, migs, tpu
        case sharedMemory = "shm"
    }
}

/// Count and model are independent: a request may name a model without a count, or a count of 0, and both are echoed.
struct JobGPU: Hashable, Codable, Sendable {
    var count: Int?
    var model: String?
}

struct JobMIG: Hashable, Codable, Sendable {
    var profile: String
    var count: Int
    var model: String?
}

struct JobTPU: Hashable, Codable, Sendable {
    var type: String
    var softwareVersion: String

    private enum CodingKeys: String, CodingKey {
        case type
        case softwareVersion = "software_version"
    }
}
