import Foundation
import Kubernetes
import PlatformModel

/// Amounts that jobs ask for and nodes have, by name: `cpu` in thousandths of a core, everything else in pieces or bytes.
struct NodeResources: Equatable, Sendable {
    static let cpu = "cpu"
    static let memory = "memory"
    static let nvidia = "nvidia.com/gpu"
    static let amd = "amd.com/gpu"
    static func mig(_ profile: String) -> String { "nvidia.com/mig-" + profile }

    private(set) var amounts: [String: Int64] = [:]

    init(_ amounts: [String: Int64] = [:]) { self.amounts = amounts.filter { $0.value != 0 } }

    /// Quantities of Kubernetes; those of no interest here are left out.
    /// - Throws: 400 for a unit nobody knows, as the contract has it.
    init(_ quantities: [String: Quantity]) throws {
        for (name, quantity) in quantities where Self.counts(name) {
            guard let value = name == Self.cpu ? quantity.milliValue : quantity.wholeValue else {
                throw CapacityError.unknownUnit(quantity.text)
            }
            amounts[name] = value
        }
    }

    private static func counts(_ name: String) -> Bool { [cpu, memory, nvidia, amd].contains(name) || name.hasPrefix(mig("")) }

    /// What one job of a preset asks for.
    init(demand preset: ResourcePreset) {
        self.init(
            cpu: preset.cpu, memory: preset.memory, nvidia: preset.nvidiaGPU, amd: preset.amdGPU, migs: preset.nvidiaMIGs)
    }

    /// What jobs can have of an empty node of a pool.
    init(nodeOf pool: ResourcePoolType) {
        self.init(
            cpu: pool.availableCPU, memory: pool.availableMemory, nvidia: pool.nvidiaGPU, amd: pool.amdGPU, migs: pool.nvidiaMIGs)
    }

    private init(cpu: Double, memory: Int64, nvidia: GPU?, amd: GPU?, migs: [String: GPU]) {
        var amounts = [
            Self.cpu: Int64((cpu * 1000).rounded(.down)), Self.memory: memory, Self.nvidia: Int64(nvidia?.count ?? 0),
            Self.amd: Int64(amd?.count ?? 0),
        ]
        for (profile, slices) in migs { amounts[Self.mig(profile)] = Int64(slices.count) }
        self.init(amounts)
    }

    /// What is left, nothing below zero.
    mutating func subtract(_ other: NodeResources) {
        for (name, amount) in other.amounts { amounts[name] = max(0, amounts[name, default: 0] - amount) }
    }

    mutating func add(_ other: NodeResources) {
        for (name, amount) in other.amounts {
            let (sum, overflow) = amounts[name, default: 0].addingReportingOverflow(amount)
            amounts[name] = overflow ? .max : sum
        }
    }

    /// How often a demand fits in, at most `limit` times.
    func fits(_ demand: NodeResources, limit: Int) -> Int {
        demand.amounts.reduce(limit) { fits, item in
            item.value > 0 ? min(fits, Int(amounts[item.key, default: 0] / item.value)) : fits
        }
    }
}

enum CapacityError: Error {
    case unknownUnit(String)
}
