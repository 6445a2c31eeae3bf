import PlatformModel
import ServiceKit

/// The rules of a cluster's presets (config.md 8).
enum PresetRules {
    static func check(_ preset: ResourcePreset, pools: [ResourcePoolType]) throws {
        guard !preset.name.isEmpty else { throw PlatformError.badRequest("name: must not be empty") }
        guard preset.cpu > 0 else { throw PlatformError.badRequest("cpu: must be greater than zero in preset '\(preset.name)'") }
        guard preset.memory > 0 else { throw PlatformError.badRequest("memory: must be greater than zero in preset '\(preset.name)'") }
        let known = Set(pools.map(\.name))
        if let unknown = preset.resourcePoolNames.first(where: { !known.contains($0) }) {
            throw PlatformError.badRequest("resource_pool_names: the cluster has no pool '\(unknown)'")
        }
    }
}

extension OrchestratorSection {
    mutating func add(_ preset: ResourcePreset) throws {
        try PresetRules.check(preset, pools: resourcePoolTypes)
        guard self.preset(preset.name) == nil else { throw PlatformError.conflict("Preset '\(preset.name)' already exists") }
        resourcePresets.append(preset)
        computeAvailablePools()
    }

    /// Keeps the preset's place, and what the clients cannot send: a GPU's memory while count and model stay, and `is_external_job`.
    mutating func replace(_ name: String, with preset: ResourcePreset) throws {
        guard preset.name == name else { throw PlatformError.badRequest("name: must be '\(name)', as in the path") }
        try PresetRules.check(preset, pools: resourcePoolTypes)
        let index = try index(ofPreset: name)
        let stored = resourcePresets[index]
        var preset = preset
        preset.isExternalJob = stored.isExternalJob
        preset.nvidiaGPU = preset.nvidiaGPU?.keepingMemory(of: stored.nvidiaGPU)
        preset.amdGPU = preset.amdGPU?.keepingMemory(of: stored.amdGPU)
        preset.intelGPU = preset.intelGPU?.keepingMemory(of: stored.intelGPU)
        resourcePresets[index] = preset
        computeAvailablePools()
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
