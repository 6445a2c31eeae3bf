/// What a job's container asks for.
public struct JobResources: Hashable, Sendable, Codable {
    /// Cores.
    public var cpu: Double
    /// Bytes.
    public var memory: Int64
    public var nvidiaGPU: Int?
    public var nvidiaGPUModel: String?
    public var amdGPU: Int?
    public var amdGPUModel: String?
    public var intelGPU: Int?
    public var intelGPUModel: String?
    /// Profile → slices.
    public var nvidiaMIGs: [String: MIG]
    public var tpu: TPU?
    /// Whether the container gets a large /dev/shm.
    public var shm: Bool?

    public init(
        cpu: Double, memory: Int64, nvidiaGPU: Int? = nil, nvidiaGPUModel: String? = nil, amdGPU: Int? = nil, amdGPUModel: String? = nil,
        intelGPU: Int? = nil, intelGPUModel: String? = nil, nvidiaMIGs: [String: MIG] = [:], tpu: TPU? = nil, shm: Bool? = nil
    ) {
        self.cpu = cpu
        self.memory = memory
        self.nvidiaGPU = nvidiaGPU
        self.nvidiaGPUModel = nvidiaGPUModel
        self.amdGPU = amdGPU
        self.amdGPUModel = amdGPUModel
        self.intelGPU = intelGPU
        self.intelGPUModel = intelGPUModel
        self.nvidiaMIGs = nvidiaMIGs
        self.tpu = tpu
        self.shm = shm
    }

    /// Whole MiB, rounded down.
    public var memoryMiB: Int64 { memory >> 20 }

    /// Slices of one MIG profile.
    public struct MIG: Hashable, Sendable, Codable {
        public var count: Int
        public var model: String?

        public init(count: Int, model: String? = nil) {
            self.count = count
            self.model = model
        }
    }

    public struct TPU: Hashable, Sendable, Codable {
        public var type: String
        public var softwareVersion: String

        public init(type: String, softwareVersion: String) {
            self.type = type
            self.softwareVersion = softwareVersion
        }

        enum CodingKeys: String, CodingKey {
            case type
            case softwareVersion = "software_version"
        }
    }

    enum CodingKeys: String, CodingKey {
        case cpu, memory, tpu, shm
        case memoryMiB = "memory_mb"
        case nvidiaGPU = "nvidia_gpu"
        case nvidiaGPUModel = "nvidia_gpu_model"
        case amdGPU = "amd_gpu"
        case amdGPUModel = "amd_gpu_model"
        case intelGPU = "intel_gpu"
        case intelGPUModel = "intel_gpu_model"
        case nvidiaMIGs = "nvidia_migs"
    }

    /// At least one of `memory` (wins) and `memory_mb` must be there. No bounds are checked.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        cpu = try container.decode(Double.self, forKey: .cpu)
        if let bytes = try container.decodeIfPresent(Int64.self, forKey: .memory) {
            memory = bytes
        } else {
            let (bytes, overflow) = try container.decode(Int64.self, forKey: .memoryMiB).multipliedReportingOverflow(by: 1 << 20)
            if overflow { throw DecodingError.dataCorruptedError(forKey: .memoryMiB, in: container, debugDescription: "is too large") }
            memory = bytes
        }
        nvidiaGPU = try container.decodeIfPresent(Int.self, forKey: .nvidiaGPU)
        nvidiaGPUModel = try container.decodeIfPresent(String.self, forKey: .nvidiaGPUModel)
        amdGPU = try container.decodeIfPresent(Int.self, forKey: .amdGPU)
        amdGPUModel = try container.decodeIfPresent(String.self, forKey: .amdGPUModel)
        intelGPU = try container.decodeIfPresent(Int.self, forKey: .intelGPU)
        intelGPUModel = try container.decodeIfPresent(String.self, forKey: .intelGPUModel)
        nvidiaMIGs = try container.decodeIfPresent([String: MIG].self, forKey: .nvidiaMIGs) ?? [:]
        tpu = try container.decodeIfPresent(TPU.self, forKey: .tpu)
        shm = try container.decodeIfPresent(Bool.self, forKey: .shm)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(cpu, forKey: .cpu)
        try container.encode(memory, forKey: .memory)
        try container.encode(memoryMiB, forKey: .memoryMiB)
        try container.encodeIfPresent(nvidiaGPU, forKey: .nvidiaGPU)
        try container.encodeIfPresent(nonEmpty(nvidiaGPUModel), forKey: .nvidiaGPUModel)
        try container.encodeIfPresent(amdGPU, forKey: .amdGPU)
        try container.encodeIfPresent(nonEmpty(amdGPUModel), forKey: .amdGPUModel)
        try container.encodeIfPresent(intelGPU, forKey: .intelGPU)
        try container.encodeIfPresent(nonEmpty(intelGPUModel), forKey: .intelGPUModel)
        if !nvidiaMIGs.isEmpty { try container.encode(nvidiaMIGs, forKey: .nvidiaMIGs) }
        try container.encodeIfPresent(tpu, forKey: .tpu)
        try container.encodeIfPresent(shm, forKey: .shm)
    }

    private func nonEmpty(_ text: String?) -> String? { text?.isEmpty == false ? text : nil }
}
