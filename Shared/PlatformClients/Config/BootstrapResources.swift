import PlatformModel

/// A node pool in the bootstrap document: without prices, and without what has its default value.
public struct BootstrapPool: Hashable, Sendable, Codable {
    public var pool: ResourcePoolType

    public init(_ pool: ResourcePoolType) { self.pool = pool }

    public init(from decoder: any Decoder) throws { pool = try ResourcePoolType(from: decoder) }

    private enum CodingKeys: String, CodingKey {
        case name, cpu, memory, tpu
        case minSize = "min_size"
        case maxSize = "max_size"
        case idleSize = "idle_size"
        case availableCPU = "available_cpu"
        case availableMemory = "available_memory"
        case diskSize = "disk_size"
        case availableDiskSize = "available_disk_size"
        case nvidiaGPU = "nvidia_gpu"
        case amdGPU = "amd_gpu"
        case intelGPU = "intel_gpu"
        case nvidiaMIGs = "nvidia_migs"
        case isPreemptible = "is_preemptible"
        case cpuMinWatts = "cpu_min_watts"
        case cpuMaxWatts = "cpu_max_watts"
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(pool.name, forKey: .name)
        try container.encode(pool.minSize, forKey: .minSize)
        try container.encode(pool.maxSize, forKey: .maxSize)
        if pool.idleSize != 0 { try container.encode(pool.idleSize, forKey: .idleSize) }
        try container.encode(pool.cpu, forKey: .cpu)
        try container.encode(pool.availableCPU, forKey: .availableCPU)
        try container.encode(pool.memory, forKey: .memory)
        try container.encode(pool.availableMemory, forKey: .availableMemory)
        try container.encode(pool.diskSize, forKey: .diskSize)
        try container.encode(pool.availableDiskSize, forKey: .availableDiskSize)
        try container.encodeIfPresent(pool.nvidiaGPU, forKey: .nvidiaGPU)
        try container.encodeIfPresent(pool.amdGPU, forKey: .amdGPU)
        try container.encodeIfPresent(pool.intelGPU, forKey: .intelGPU)
        if !pool.nvidiaMIGs.isEmpty { try container.encode(pool.nvidiaMIGs, forKey: .nvidiaMIGs) }
        try container.encodeIfPresent(pool.tpu, forKey: .tpu)
        if pool.isPreemptible { try container.encode(true, forKey: .isPreemptible) }
        if pool.cpuMinWatts != 0 { try container.encode(pool.cpuMinWatts, forKey: .cpuMinWatts) }
        if pool.cpuMaxWatts != 0 { try container.encode(pool.cpuMaxWatts, forKey: .cpuMaxWatts) }
    }
}

/// A preset in the bootstrap document: with the copies that old clients read.
public struct BootstrapPreset: Hashable, Sendable, Codable {
    public var preset: ResourcePreset

    public init(_ preset: ResourcePreset) { self.preset = preset }

    public init(from decoder: any Decoder) throws { preset = try ResourcePreset(from: decoder) }

    private enum CodingKeys: String, CodingKey {
        case name, cpu, memory, tpu
        case memoryMiB = "memory_mb"
        case creditsPerHour = "credits_per_hour"
        case nvidiaGPU = "nvidia_gpu"
        case amdGPU = "amd_gpu"
        case intelGPU = "intel_gpu"
        case nvidiaMIGs = "nvidia_migs"
        case schedulerEnabled = "scheduler_enabled"
        case preemptibleNode = "preemptible_node"
        case isPreemptible = "is_preemptible"
        case isPreemptibleNodeRequired = "is_preemptible_node_required"
        case resourcePoolNames = "resource_pool_names"
        case availableResourcePoolNames = "available_resource_pool_names"
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(preset.name, forKey: .name)
        try container.encode(preset.creditsPerHour, forKey: .creditsPerHour)
        try container.encode(preset.cpu, forKey: .cpu)
        try container.encode(preset.memory, forKey: .memory)
        try container.encode(preset.memory >> 20, forKey: .memoryMiB)
        try container.encodeIfPresent(preset.nvidiaGPU, forKey: .nvidiaGPU)
        try container.encodeIfPresent(preset.amdGPU, forKey: .amdGPU)
        try container.encodeIfPresent(preset.intelGPU, forKey: .intelGPU)
        if !preset.nvidiaMIGs.isEmpty { try container.encode(preset.nvidiaMIGs, forKey: .nvidiaMIGs) }
        try container.encodeIfPresent(preset.tpu, forKey: .tpu)
        try container.encode(preset.schedulerEnabled, forKey: .schedulerEnabled)
        try container.encode(preset.preemptibleNode, forKey: .preemptibleNode)
        try container.encode(preset.schedulerEnabled, forKey: .isPreemptible)
        try container.encode(preset.preemptibleNode, forKey: .isPreemptibleNodeRequired)
        if !preset.resourcePoolNames.isEmpty { try container.encode(preset.resourcePoolNames, forKey: .resourcePoolNames) }
        if !preset.availableResourcePoolNames.isEmpty {
            try container.encode(preset.availableResourcePoolNames, forKey: .availableResourcePoolNames)
        }
    }
}
