import PlatformModel

/// `container.resources` of the nested form (jobs-api.md 6.2).
enum ResourcesRequest {
    private static let mebibyte: Int64 = 1 << 20

    static func check(_ value: OrderedJSON, orchestrator: OrchestratorSection) throws(Problem) -> JobResources {
        var fields = try Fields(of: value)
        let cpu = fields.required("cpu") { value throws(Problem) in try Check.number(value, atLeast: 0.1) }
        let memory = fields.optional("memory") { value throws(Problem) in try Check.integer(value, atLeast: 16 * mebibyte) }
        let memoryMB = fields.optional("memory_mb") { value throws(Problem) in
            try Check.integer(value, atLeast: 16, atMost: .max / mebibyte)
        }
        let hasMemory = fields.raw("memory") != nil || fields.raw("memory_mb") != nil
        let shm = fields.optional("shm", Check.bool)
        let nvidia = gpu(&fields, "nvidia_gpu")
        let amd = gpu(&fields, "amd_gpu")
        let intel = gpu(&fields, "intel_gpu")
        let migs = fields.optional("nvidia_migs") { value throws(Problem) in try Check.map(value, mig) }
        let hasGPU = GPUVendor.allCases.contains { vendor in
            value["\(vendor.rawValue)_gpu"] != nil || value["\(vendor.rawValue)_gpu_model"] != nil
        }
        // A GPU job has no `tpu`, nor has a cluster without TPUs: there the key is as unknown as any other.
        let offers = orchestrator.resourcePoolTypes.compactMap(\.tpu)
        let mayHaveTPU = !offers.isEmpty && !hasGPU && (migs ?? []).isEmpty
        let tpu =
            mayHaveTPU
            ? fields.optional("tpu") { value throws(Problem) in
                try self.tpu(value, offers: offers.map { ($0.types, $0.softwareVersions) })
            } : nil
        try fields.finish()
        guard hasMemory, let bytes = memory ?? memoryMB.map({ $0 * mebibyte }) else {
            throw .message("Either memory or memory_mb should be present")
        }
        return JobResources(
            cpu: cpu ?? 0, memory: bytes, nvidiaGPU: nvidia.count, nvidiaGPUModel: nvidia.model, amdGPU: amd.count,
            amdGPUModel: amd.model, intelGPU: intel.count, intelGPUModel: intel.model,
            nvidiaMIGs: Dictionary((migs ?? []).map { ($0.key, $0.value) }) { _, last in last }, tpu: tpu, shm: shm)
    }

    /// Count and model are independent of each other, and a count of 0 is kept.
    private static func gpu(_ fields: inout Fields, _ key: String) -> (count: Int?, model: String?) {
        let count = fields.optional(key) { value throws(Problem) in try Check.integer(value, atLeast: 0, atMost: Int64(Int32.max)) }
        let model = fields.optional("\(key)_model") { value throws(Problem) in try Check.text(value) }
        return (count.map { Int($0) }, model)
    }

    private static func mig(_ value: OrderedJSON) throws(Problem) -> JobResources.MIG {
        var fields = try Fields(of: value)
        let count = fields.required("count") { value throws(Problem) in
            try Check.integer(value, atLeast: 0, atMost: Int64(Int32.max))
        }
        let model = fields.optional("model") { value throws(Problem) in try Check.text(value) }
        try fields.finish()
        return JobResources.MIG(count: Int(count ?? 0), model: model)
    }

    /// Type and version must be offered by the same pool.
    private static func tpu(_ value: OrderedJSON, offers: [(types: [String], versions: [String])]) throws(Problem) -> JobResources.TPU {
        var fields = try Fields(of: value)
        let type = fields.required("type") { value throws(Problem) in
            let text = try Check.text(value)
            guard offers.contains(where: { $0.types.contains(text) }) else { throw .message("value doesn't match any variant") }
            return text
        }
        let version = fields.required("software_version") { value throws(Problem) in
            let text = try Check.text(value)
            guard offers.contains(where: { ($0.types.contains(type ?? "") || type == nil) && $0.versions.contains(text) }) else {
                throw .message("value doesn't match any variant")
            }
            return text
        }
        try fields.finish()
        guard let type, let version else { throw .message("is required") }
        return JobResources.TPU(type: type, softwareVersion: version)
    }
}
