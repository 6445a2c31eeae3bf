import Kubernetes
import PlatformModel

/// How many more jobs of each preset could be scheduled now (monitoring.md 8). Pure.
struct ClusterCapacity {
    /// Pods a node takes when it does not say.
    static let podsPerNode = 110

    struct FreeNode {
        var pool: String
        var resources: NodeResources
        var pods: Int
    }
    let nodes: [FreeNode]

    /// - Parameters:
    ///   - label: of nodes, with the name of their pool.
    ///   - pods: those of all namespaces that have not ended; pods without a node are left out here.
    init(nodes: [Node], pods: [Pod], label: String) throws {
        let byNode = Dictionary(grouping: pods) { $0.spec?.nodeName ?? "" }
        self.nodes = try nodes.compactMap { node in
            guard let name = node.metadata.name, let pool = node.metadata.labels[label] else { return nil }
            let allocatable = node.status?.allocatable ?? [:]
            var used = NodeResources()
            let own = byNode[name] ?? []
            for container in own.flatMap({ $0.spec?.containers ?? [] }) {
                used.add(try NodeResources(container.resources?.requests ?? [:]))
            }
            var free = try NodeResources(allocatable)
            free.subtract(used)
            let slots = allocatable["pods"]?.wholeValue.map { Int(min($0, 100_000)) } ?? Self.podsPerNode
            return FreeNode(pool: pool, resources: free, pods: max(0, slots - own.count))
        }
    }

    /// Every preset, also those with 0.
    func jobs(of presets: [ResourcePreset], in pools: [ResourcePoolType]) -> [String: Int] {
        let byPool = Dictionary(pools.map { ($0.name, $0) }) { first, _ in first }
        return Dictionary(presets.map { ($0.name, jobs(of: $0, in: byPool)) }) { first, _ in first }
    }

    private func jobs(of preset: ResourcePreset, in pools: [String: ResourcePoolType]) -> Int {
        let demand = NodeResources(demand: preset)
        return preset.availableResourcePoolNames.reduce(0) { sum, name in
            let existing = nodes.filter { $0.pool == name }
            let present = existing.reduce(0) { $0 + $1.resources.fits(demand, limit: $1.pods) }
            guard let pool = pools[name] else { return sum + present }
            let missing = max(0, pool.maxSize - existing.count)
            let (future, overflow) = missing.multipliedReportingOverflow(
                by: NodeResources(nodeOf: pool).fits(demand, limit: Self.podsPerNode))
            return sum + present + (overflow ? 0 : future)
        }
    }
}
