import PlatformModel
import ServiceKit

/// The rules of a cluster's presets (config.md 8).
enum PresetRules {
    static func check(_ preset: ResourcePreset, pools: [ResourcePoolType]) throws {
        try ClusterRules.requireName(preset.name, "name")
        let place = "in preset '\(preset.name)'"
        try ClusterRules.require(preset.cpu > 0 && preset.cpu.isFinite, "cpu", "must be greater than zero \(place)")
        try ClusterRules.require(preset.memory > 0, "memory", "must be greater than zero \(place)")
        try ClusterRules.requireSize(preset.memory, "memory")
        try ClusterRules.require(preset.creditsPerHour >= .zero, "credits_per_hour", "must not be negative \(place)")
        let migs = preset.nvidiaMIGs.map { ("nvidia_migs['\($0)']", Optional($1)) }
        for (key, gpu) in [("nvidia_gpu", preset.nvidiaGPU), ("amd_gpu", preset.amdGPU), ("intel_gpu", preset.intelGPU)] + migs {
            try ClusterRules.require(gpu?.count ?? 1 >= 0, "\(key).count", "must not be negative \(place)")
        }
        let known = Set(pools.map(\.name))
        if let unknown = preset.resourcePoolNames.first(where: { !known.contains($0) }) {
            throw PlatformError.badRequest("resource_pool_names: the cluster has no pool '\(unknown)' \(place)")
        }
    }
}

extension ResourcePreset {
    /// Apart from what is computed.
    func isSame(as other: ResourcePreset) -> Bool {
        var other = other
        other.availableResourcePoolNames = availableResourcePoolNames
        return self == other
    }
}

extension OrchestratorSection {
    mutating func add(_ preset: ResourcePreset) throws {
        try PresetRules.check(preset, pools: resourcePoolTypes)
        guard self.preset(preset.name) == nil else { throw PlatformError.conflict("Preset '\(preset.name)' already exists") }
        resourcePresets.append(preset)
    }

    /// Keeps the preset's place, and what the clients cannot send: a GPU's memory while count and model stay, and `is_external_job`.
    mutating func replace(_ name: String, with preset: ResourcePreset) throws {
        guard preset.name == name else { throw PlatformError.badRequest("name: must be '\(name)', as in the path") }
        let index = try index(ofPreset: name)
        try PresetRules.check(preset, pools: resourcePoolTypes)
        let stored = resourcePresets[index]
        var preset = preset
        preset.isExternalJob = preset.isExternalJob || stored.isExternalJob
        preset.nvidiaGPU = preset.nvidiaGPU?.keepingMemory(of: stored.nvidiaGPU)
        preset.amdGPU = preset.amdGPU?.keepingMemory(of: stored.amdGPU)
        preset.intelGPU = preset.intelGPU?.keepingMemory(of: stored.intelGPU)
        resourcePresets[index] = preset
    }

    mutating func removePreset(_ name: String) throws {
        resourcePresets.remove(at: try index(ofPreset: name))
    }

    private func index(ofPreset name: String) throws -> Int {
        guard let index = resourcePresets.firstIndex(where: { $0.name == name }) else {
            throw PlatformError.notFound("Preset '\(name)' does not exist")
        }
        return index
    }
}

extension GPU {
    fileprivate func keepingMemory(of stored: GPU?) -> GPU {
        guard memory == nil, let stored, stored.count == count, stored.model == model else { return self }
        return stored
    }
}
