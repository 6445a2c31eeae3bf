import Kubernetes
import PlatformModel
import Testing

@testable import MonitoringService

@Suite struct CapacityTests {
    private static let label = "platform.neuromation.io/nodepool"

    private func node(_ name: String, pool: String, _ allocatable: [String: Quantity]) -> Node {
        Node(metadata: .init(name: name, labels: [Self.label: pool]), status: NodeStatus(allocatable: allocatable))
    }

    private func pod(on node: String?, _ requests: [String: Quantity]) -> Pod {
        var container = Container(name: "c")
        container.resources = ResourceRequirements(requests: requests)
        var spec = PodSpec(containers: [container])
        spec.nodeName = node
        return Pod(metadata: .init(name: "p"), spec: spec)
    }

    private func capacity(
        _ preset: ResourcePreset, nodes: [Node], pods: [Pod] = [], pools: [ResourcePoolType] = []
    ) throws -> Int? {
        try ClusterCapacity(nodes: nodes, pods: pods, label: Self.label).jobs(of: [preset], in: pools)[preset.name]
    }

    @Test func processorAndMemory() throws {
        let nodes = ["a", "b"].map { node($0, pool: "p", ["cpu": "1", "memory": "1Gi"]) }
        let preset = ResourcePreset(name: "s", cpu: 0.2, memory: 100 << 20, availableResourcePoolNames: ["p"])
        let pools = [ResourcePoolType(name: "p", maxSize: 2, cpu: 1, memory: 1 << 30)]
        #expect(try capacity(preset, nodes: nodes, pools: pools) == 10)
        #expect(try capacity(preset, nodes: nodes, pods: ["a", "b"].map { pod(on: $0, ["cpu": "50m"]) }, pools: pools) == 8)
        #expect(try capacity(preset, nodes: nodes, pods: ["a", "b"].map { pod(on: $0, ["cpu": "1"]) }, pools: pools) == 0)
        #expect(try capacity(preset, nodes: nodes, pods: [pod(on: nil, ["cpu": "1"])], pools: pools) == 10)
        // Nodes that the pool may still get, and a maximum below what there is.
        #expect(try capacity(preset, nodes: nodes, pools: [ResourcePoolType(name: "p", maxSize: 4, cpu: 1, memory: 1 << 30)]) == 20)
        #expect(try capacity(preset, nodes: nodes, pools: [ResourcePoolType(name: "p", maxSize: 1, cpu: 1, memory: 1 << 30)]) == 10)
        #expect(try capacity(.init(name: "n", cpu: 0.2, memory: 1), nodes: nodes, pools: pools) == 0)
    }

    @Test func placesForPods() throws {
        let nodes = [node("a", pool: "p", ["cpu": "8", "memory": "1Gi", "pods": "3"])]
        let preset = ResourcePreset(name: "s", cpu: 0.1, memory: 1 << 20, availableResourcePoolNames: ["p"])
        #expect(try capacity(preset, nodes: nodes, pods: [pod(on: "a", [:])]) == 2)
    }

    @Test func devices() throws {
        let gpus = [("a", "x"), ("b", "x"), ("c", "y"), ("d", "y")].map {
            node($0, pool: $1, ["cpu": "8", "memory": "8Gi", "nvidia.com/gpu": "1"])
        }
        let preset = ResourcePreset(name: "g", cpu: 1, memory: 1 << 30, nvidiaGPU: GPU(count: 1), availableResourcePoolNames: ["x", "y"])
        #expect(try capacity(preset, nodes: gpus) == 4)
        #expect(try capacity(preset, nodes: gpus, pods: [pod(on: "a", ["nvidia.com/gpu": "1"])]) == 3)

        let slices = ["a", "b"].map { node($0, pool: "m", ["cpu": "32", "memory": "64Gi", "nvidia.com/mig-1g.5gb": "7"]) }
        let mig = ResourcePreset(
            name: "m", cpu: 1, memory: 1 << 30, nvidiaMIGs: ["1g.5gb": GPU(count: 1)], availableResourcePoolNames: ["m"])
        #expect(try capacity(mig, nodes: slices) == 14)
        #expect(try capacity(mig, nodes: slices, pods: ["a", "b"].map { pod(on: $0, ["nvidia.com/mig-1g.5gb": "1"]) }) == 12)

        let amd = ["a", "b"].map { node($0, pool: "r", ["cpu": "8", "memory": "8Gi", "amd.com/gpu": "2"]) }
        let radeon = ResourcePreset(name: "r", cpu: 1, memory: 1 << 30, amdGPU: GPU(count: 1), availableResourcePoolNames: ["r"])
        #expect(try capacity(radeon, nodes: amd) == 4)
        #expect(try capacity(radeon, nodes: amd, pods: [pod(on: "b", ["amd.com/gpu": "1"])]) == 3)
    }

    @Test func unknownUnitsAreSaid() {
        #expect(throws: CapacityError.self) {
            try ClusterCapacity(nodes: [node("a", pool: "p", ["cpu": "1", "memory": "1Qi"])], pods: [], label: Self.label)
        }
    }
}
