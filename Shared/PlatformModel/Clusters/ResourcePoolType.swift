/// A node pool as jobs see it.
public struct ResourcePoolType: Hashable, Sendable, Codable {
    public var name: String
    public var minSize: Int
    public var maxSize: Int
    public var idleSize: Int
    /// Cores of one node, and what jobs can have of them.
    public var cpu: Double
    public var availableCPU: Double
    /// Bytes of one node, and what jobs can have of them.
    public var memory: Int64
    public var availableMemory: Int64
    public var diskSize: Int64
    public var availableDiskSize: Int64
    public var nvidiaGPU: GPU?
    public var amdGPU: GPU?
    public var intelGPU: GPU?
    /// Profile → slices of one node.
    public var nvidiaMIGs: [String: GPU]
    public var tpu: TPU?
    /// Of one node for an hour.
    public var price: Money?
    public var currency: String?
    public var isPreemptible: Bool
    public var cpuMinWatts: Double
    public var cpuMaxWatts: Double

    public struct TPU: Hashable, Sendable, Codable {
        public var ipv4CIDRBlock: String
        public var types: [String]
        public var softwareVersions: [String]

        public init(ipv4CIDRBlock: String, types: [String], softwareVersions: [String]) {
            self.ipv4CIDRBlock = ipv4CIDRBlock
            self.types = types
            self.softwareVersions = softwareVersions
        }

        enum CodingKeys: String, CodingKey {
            case types
            case ipv4CIDRBlock = "ipv4_cidr_block"
            case softwareVersions = "software_versions"
        }
    }

    public init(
        name: String, minSize: Int = 0, maxSize: Int = 1, idleSize: Int = 0, cpu: Double = 1, availableCPU: Double? = nil,
        memory: Int64 = 1 << 30, availableMemory: Int64? = nil, diskSize: Int64 = 150 << 30, availableDiskSize: Int64? = nil,
        nvidiaGPU: GPU? = nil, amdGPU: GPU? = nil, intelGPU: GPU? = nil, nvidiaMIGs: [String: GPU] = [:], tpu: TPU? = nil,
        price: Money? = nil, currency: String? = nil, isPreemptible: Bool = false, cpuMinWatts: Double = 0, cpuMaxWatts: Double = 0
    ) {
        self.name = name
        self.minSize = minSize
        self.maxSize = maxSize
        self.idleSize = idleSize
        self.cpu = cpu
        self.availableCPU = availableCPU ?? cpu
        self.memory = memory
        self.availableMemory = availableMemory ?? memory
        self.diskSize = diskSize
        self.availableDiskSize = availableDiskSize ?? diskSize
        self.nvidiaGPU = nvidiaGPU
        self.amdGPU = amdGPU
        self.intelGPU = intelGPU
        self.nvidiaMIGs = nvidiaMIGs
        self.tpu = tpu
        self.price = price
        self.currency = currency
        self.isPreemptible = isPreemptible
        self.cpuMinWatts = cpuMinWatts
        self.cpuMaxWatts = cpuMaxWatts
    }

    /// Accepts the object form and the classic integer form of GPUs.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: AnyKey.self)
        func optional<T: Decodable>(_ key: String, _ type: T.Type = T.self) throws -> T? {
            try container.decodeIfPresent(T.self, forKey: AnyKey(key))
        }
        self.init(
            name: try container.decode(String.self, forKey: AnyKey("name")), minSize: try optional("min_size") ?? 0,
            maxSize: try optional("max_size") ?? 1, idleSize: try optional("idle_size") ?? 0, cpu: try optional("cpu") ?? 1,
            availableCPU: try optional("available_cpu"), memory: try optional("memory") ?? 1 << 30,
            availableMemory: try optional("available_memory"), diskSize: try optional("disk_size") ?? 150 << 30,
            availableDiskSize: try optional("available_disk_size"), nvidiaGPU: try container.decodeGPU(.nvidia),
            amdGPU: try container.decodeGPU(.amd), intelGPU: try container.decodeGPU(.intel),
            nvidiaMIGs: try optional("nvidia_migs") ?? [:], tpu: try optional("tpu"),
            price: try container.decodeMoneyIfPresent(forKey: AnyKey("price")), currency: try optional("currency"),
            isPreemptible: try optional("is_preemptible") ?? false, cpuMinWatts: try optional("cpu_min_watts") ?? 0,
            cpuMaxWatts: try optional("cpu_max_watts") ?? 0)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: AnyKey.self)
        func put(_ key: String, _ value: some Encodable) throws { try container.encode(value, forKey: AnyKey(key)) }
        func putIfPresent(_ key: String, _ value: (some Encodable)?) throws {
            try container.encodeIfPresent(value, forKey: AnyKey(key))
        }
        try put("name", name)
        try put("min_size", minSize)
        try put("max_size", maxSize)
        try put("idle_size", idleSize)
        try put("cpu", cpu)
        try put("available_cpu", availableCPU)
        try put("memory", memory)
        try put("available_memory", availableMemory)
        try put("disk_size", diskSize)
        try put("available_disk_size", availableDiskSize)
        try putIfPresent("nvidia_gpu", nvidiaGPU)
        try putIfPresent("amd_gpu", amdGPU)
        try putIfPresent("intel_gpu", intelGPU)
        try putIfPresent("nvidia_migs", nvidiaMIGs.isEmpty ? nil : nvidiaMIGs)
        try putIfPresent("tpu", tpu)
        try putIfPresent("price", price)
        try putIfPresent("currency", currency)
        try put("is_preemptible", isPreemptible)
        try put("cpu_min_watts", cpuMinWatts)
        try put("cpu_max_watts", cpuMaxWatts)
    }
}
