import Kubernetes
import PlatformModel

/// Requests and limits of a job's container (jobs-orchestration.md 4.10).
enum PodResources {
    static func requirements(_ wanted: JobResources, pools: [ResourcePoolType]) throws(JobStartRefusal) -> ResourceRequirements {
        var limits: [String: Quantity] = [
            "cpu": Quantity("\(Int64((wanted.cpu * 1000).rounded(.towardZero)))m"), "memory": Quantity(String(wanted.memory)),
        ]
        func add(_ key: String, _ count: Int?) { if let count, count > 0 { limits[key] = Quantity(String(count)) } }
        add("nvidia.com/gpu", wanted.nvidiaGPU)
        for (profile, slices) in wanted.nvidiaMIGs { add("nvidia.com/mig-\(profile)", slices.count) }
        add("amd.com/gpu", wanted.amdGPU)
        add("gpu.intel.com/i915", wanted.intelGPU)
        if let tpu = wanted.tpu {
            guard let dash = tpu.type.lastIndex(of: "-"), dash > tpu.type.startIndex,
                let cores = Int(tpu.type[tpu.type.index(after: dash)...])
            else { throw .invalidTPU(tpu.type) }
            limits["cloud-tpus.google.com/\(tpu.type[..<dash])"] = Quantity(String(cores))
        }
        var requests = limits
        // A job that asks for a whole node still has to fit beside the node's own pods.
        if let largest = pools.map(\.availableMemory).max(), wanted.memory >= largest {
            requests["memory"] = Quantity(String(wanted.memory / 5 * 4 + wanted.memory % 5 * 4 / 5))
        }
        return ResourceRequirements(requests: requests, limits: limits)
    }
}
