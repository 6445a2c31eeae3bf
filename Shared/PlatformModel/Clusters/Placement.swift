extension ResourcePoolType {
    /// Whether one empty node of this pool can hold `resources` with the given preemptibility.
    public func canHold(_ resources: JobResources, preemptible: Bool) -> Bool {
        guard isPreemptible == preemptible, resources.cpu <= availableCPU, resources.memory <= availableMemory else { return false }
        guard Self.holds(nvidiaGPU, resources.nvidiaGPU, resources.nvidiaGPUModel),
            Self.holds(amdGPU, resources.amdGPU, resources.amdGPUModel),
            Self.holds(intelGPU, resources.intelGPU, resources.intelGPUModel)
        else { return false }
        for (profile, wanted) in resources.nvidiaMIGs where wanted.count > 0 {
            guard let slices = nvidiaMIGs[profile], Self.holds(slices, wanted.count, wanted.model) else { return false }
        }
        if let wanted = resources.tpu {
            guard let tpu, tpu.types.contains(wanted.type), tpu.softwareVersions.contains(wanted.softwareVersion) else { return false }
        }
        return true
    }

    private static func holds(_ available: GPU?, _ count: Int?, _ model: String?) -> Bool {
        guard let count, count > 0 else { return true }
        guard let available, available.count >= count else { return false }
        guard let model, !model.isEmpty else { return true }
        return available.model == model
    }
}

extension OrchestratorSection {
    /// Recomputes `available_resource_pool_names` of every preset; to be called after any change of presets or pools.
    public mutating func computeAvailablePools() {
        for index in resourcePresets.indices {
            let preset = resourcePresets[index]
            let resources = preset.jobResources()
            resourcePresets[index].availableResourcePoolNames = resourcePoolTypes.filter { pool in
                pool.canHold(resources, preemptible: preset.preemptibleNode)
                    && (preset.resourcePoolNames.isEmpty || preset.resourcePoolNames.contains(pool.name))
            }.map(\.name)
        }
    }
}
