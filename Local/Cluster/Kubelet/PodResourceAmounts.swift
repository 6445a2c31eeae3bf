import Foundation
import Kubernetes

/// What a pod asks for and may use.
struct PodResourceAmounts: Sendable {
    let pod: PodTemplate

    /// What the scheduler counts, in thousandths of the unit: the containers' sum, or the largest init container if that is more.
    var requests: [String: Int64] {
        var sums: [String: Int64] = [:]
        for container in pod.containers {
            for name in container.resourceNames { sums[name, default: 0] += container.request(name)?.milliValue ?? 0 }
        }
        for container in pod.initContainers {
            for name in container.resourceNames { sums[name] = max(sums[name] ?? 0, container.request(name)?.milliValue ?? 0) }
        }
        for (name, value) in pod.spec["overhead"]?.object ?? [:] {
            sums[name, default: 0] += value.string.flatMap { Quantity($0).milliValue } ?? 0
        }
        return sums
    }

    /// `Guaranteed`, `Burstable`, `BestEffort`.
    var qualityOfService: String {
        var hasAny = false
        var isGuaranteed = true
        for container in pod.containers + pod.initContainers {
            for name in ["cpu", "memory"] {
                let (request, limit) = (container.request(name)?.milliValue ?? 0, container.limit(name)?.milliValue ?? 0)
                if request > 0 || limit > 0 { hasAny = true }
                if limit == 0 || request != limit { isGuaranteed = false }
            }
        }
        return !hasAny ? "BestEffort" : isGuaranteed ? "Guaranteed" : "Burstable"
    }

    /// Bytes that all containers may use together; nil when one of them has no limit.
    var memoryLimit: Int64? {
        var sum: Int64 = 0
        for container in pod.containers {
            guard let limit = container.limit("memory")?.wholeValue, limit > 0 else { return nil }
            sum += limit
        }
        return sum
    }

    /// The kernel's preference in killing, 2…1000 for what may be killed first. A kubelet uses the negative half too, which needs a
    /// privilege that this process may lack.
    func outOfMemoryScore(_ container: ContainerTemplate, machineMemory: Int64) -> Int {
        switch qualityOfService {
        case "Guaranteed": return 0
        case "BestEffort": return 1000
        default:
            let request = container.request("memory")?.wholeValue ?? 0
            let score = 1000 - Int(1000 * Double(request) / Double(max(machineMemory, 1)))
            return min(max(score, 3), 999)
        }
    }

    static func cpuShares(milliCPU: Int64) -> Int64 { milliCPU == 0 ? 2 : max(2, min(milliCPU * 1024 / 1000, 262_144)) }
}
