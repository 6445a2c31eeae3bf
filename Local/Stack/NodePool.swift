import Kubernetes

/// The nodes on which the local platform runs jobs: the pool `default`.
struct NodePool: Sendable {
    private static let label = "platform.neuromation.io/nodepool"

    let kubeconfig: String

    /// What the machine under the jobs can give.
    struct Capacity: Sendable {
        let cores: Double
        let memoryBytes: Int64
    }

    /// Labels the nodes that no pool has claimed as the pool `default`, and answers what the largest of that pool can give.
    func claim() async throws -> Capacity {
        let largest = try await Cluster.with(kubeconfig) { client in
            for node in try await client.list(.nodes, labels: .init("!\(Self.label)")).items {
                guard let name = node.metadata.name else { continue }
                let labels: JSONValue = [Self.label: "default", "platform.neuromation.io/job": "true"]
                try await client.patch(.nodes, name, .merge(["metadata": ["labels": labels]]))
            }
            return try await client.list(.nodes, labels: [Self.label: "default"]).items.map(Self.capacity).max { $0.cores < $1.cores }
        }
        guard let largest else { throw StackError("the cluster has no node that is free for the pool `default`") }
        return largest
    }

    static func nodes(_ kubeconfig: String) async throws -> [Node] {
        try await Cluster.with(kubeconfig) { try await $0.list(.nodes).items }
    }

    private static func capacity(of node: Node) -> Capacity {
        let allocatable = node.status?.allocatable ?? [:]
        return Capacity(cores: allocatable["cpu"]?.value ?? 1, memoryBytes: allocatable["memory"]?.wholeValue ?? 1 << 30)
    }
}
