/// A named size of jobs with its price.
public struct ResourcePreset: Hashable, Sendable, Codable {
    public var name: String
    public var creditsPerHour: Money
    /// Cores.
    public var cpu: Double
    /// Bytes.
    public var memory: Int64
    public var nvidiaGPU: GPU?
    public var amdGPU: GPU?
    public var intelGPU: GPU?
    /// Profile → slices.
    public var nvidiaMIGs: [String: GPU]
    public var tpu: JobResources.TPU?
    public var schedulerEnabled: Bool
    public var preemptibleNode: Bool
    public var isExternalJob: Bool
    /// Restricts placement; empty means any pool.
    public var resourcePoolNames: [String]
    /// Computed by config-api: the pools of which one node can run the preset.
    public var availableResourcePoolNames: [String]
    /// Read by the classic client only.
    public var capacity: Int

    public init(
        name: String, creditsPerHour: Money = .zero, cpu: Double, memory: Int64, nvidiaGPU: GPU? = nil, amdGPU: GPU? = nil,
        intelGPU: GPU? = nil, nvidiaMIGs: [String: GPU] = [:], tpu: JobResources.TPU? = nil, schedulerEnabled: Bool = false,
        preemptibleNode: Bool = false, isExternalJob: Bool = false, resourcePoolNames: [String] = [],
        availableResourcePoolNames: [String] = [], capacity: Int = 0
    ) {
        self.name = name
        self.creditsPerHour = creditsPerHour
        self.cpu = cpu
        self.memory = memory
        self.nvidiaGPU = nvidiaGPU
        self.amdGPU = amdGPU
        self.intelGPU = intelGPU
        self.nvidiaMIGs = nvidiaMIGs
        self.tpu = tpu
        self.schedulerEnabled = schedulerEnabled
        self.preemptibleNode = preemptibleNode
        self.isExternalJob = isExternalJob
        self.resourcePoolNames = resourcePoolNames
        self.availableResourcePoolNames = availableResourcePoolNames
        self.capacity = capacity
    }

    /// Accepts the object form and the classic integer form of GPUs.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: AnyKey.self)
        func required<T: Decodable>(_ key: String) throws -> T { try container.decode(T.self, forKey: AnyKey(key)) }
        func optional<T: Decodable>(_ key: String) throws -> T? { try container.decodeIfPresent(T.self, forKey: AnyKey(key)) }
        self.init(
            name: try required("name"), creditsPerHour: try required("credits_per_hour"), cpu: try required("cpu"),
            memory: try required("memory"), nvidiaGPU: try container.decodeGPU(.nvidia), amdGPU: try container.decodeGPU(.amd),
            intelGPU: try container.decodeGPU(.intel), nvidiaMIGs: try optional("nvidia_migs") ?? [:], tpu: try optional("tpu"),
            schedulerEnabled: try optional("scheduler_enabled") ?? false, preemptibleNode: try optional("preemptible_node") ?? false,
            isExternalJob: try optional("is_external_job") ?? false, resourcePoolNames: try optional("resource_pool_names") ?? [],
            availableResourcePoolNames: try optional("available_resource_pool_names") ?? [], capacity: try optional("capacity") ?? 0)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: AnyKey.self)
        func put(_ key: String, _ value: some Encodable) throws { try container.encode(value, forKey: AnyKey(key)) }
        func putIfPresent(_ key: String, _ value: (some Encodable)?) throws {
            try container.encodeIfPresent(value, forKey: AnyKey(key))
        }
        try put("name", name)
        try put("credits_per_hour", creditsPerHour)
        try put("cpu", cpu)
        try put("memory", memory)
        try putIfPresent("nvidia_gpu", nvidiaGPU)
        try putIfPresent("amd_gpu", amdGPU)
        try putIfPresent("intel_gpu", intelGPU)
        try putIfPresent("nvidia_migs", nvidiaMIGs.isEmpty ? nil : nvidiaMIGs)
        try putIfPresent("tpu", tpu)
        try put("scheduler_enabled", schedulerEnabled)
        try put("preemptible_node", preemptibleNode)
        try put("is_external_job", isExternalJob)
        try putIfPresent("resource_pool_names", resourcePoolNames.isEmpty ? nil : resourcePoolNames)
        try put("available_resource_pool_names", availableResourcePoolNames)
        try putIfPresent("capacity", capacity == 0 ? nil : capacity)
    }
}

extension ResourcePreset {
    /// The container resources of a job made from this preset.
    public func jobResources(shm: Bool? = nil) -> JobResources {
        JobResources(
            cpu: cpu, memory: memory, nvidiaGPU: nvidiaGPU?.count, nvidiaGPUModel: nvidiaGPU?.model, amdGPU: amdGPU?.count,
            amdGPUModel: amdGPU?.model, intelGPU: intelGPU?.count, intelGPUModel: intelGPU?.model,
            nvidiaMIGs: nvidiaMIGs.mapValues { .init(count: $0.count, model: $0.model) }, tpu: tpu, shm: shm)
    }
}
