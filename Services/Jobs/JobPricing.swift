import Foundation
import PlatformModel

/// What a job costs, by the cluster's presets of the moment it is read (jobs-api.md 16.3).
struct JobPricing: Sendable {
    let presets: [ResourcePreset]

    /// Credits per hour: the preset's that the job was made from; else of the cheapest preset into which the job fits; else of the dearest.
    ///
    /// A preset that is merely named beside explicit resources counts only if they fit into it: nobody chooses a price.
    func perHour(_ spec: JobSpec) -> Money {
        if let name = spec.presetName, let preset = presets.first(where: { $0.name == name }),
            spec.fromPreset || Self.fits(spec.container.resources, into: preset)
        {
            return preset.creditsPerHour
        }
        let dearest = presets.map(\.creditsPerHour).max() ?? .zero
        return presets.filter { Self.fits(spec.container.resources, into: $0) }.map(\.creditsPerHour).min() ?? dearest
    }

    /// MIG profiles do not count in fitting.
    static func fits(_ resources: JobResources, into preset: ResourcePreset) -> Bool {
        resources.cpu <= preset.cpu && resources.memory <= preset.memory
            && fits(resources.nvidiaGPU, resources.nvidiaGPUModel, into: preset.nvidiaGPU)
            && fits(resources.amdGPU, resources.amdGPUModel, into: preset.amdGPU)
            && fits(resources.intelGPU, resources.intelGPUModel, into: preset.intelGPU)
            && (resources.tpu == nil || resources.tpu == preset.tpu)
    }

    private static func fits(_ count: Int?, _ model: String?, into offer: GPU?) -> Bool {
        guard let count, count > 0 else { return true }
        guard let offer, count <= offer.count else { return false }
        return model == nil || model == offer.model
    }

    /// Price × run time in hours, exact in decimal arithmetic and rounded to the 18 places that an amount of credits has anywhere in the
    /// platform. Clients take any plain decimal and show four places (jobs-api.md 16.3).
    static func total(_ perHour: Money, microseconds: Int64) -> Money {
        var quotient = perHour.value * Decimal(microseconds) / Decimal(3_600_000_000 as Int64)
        var rounded = Decimal()
        NSDecimalRound(&rounded, &quotient, 18, .bankers)
        return Money(rounded)
    }
}
