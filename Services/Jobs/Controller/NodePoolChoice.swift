import Kubernetes
import PlatformModel

/// The node pools that may hold a job, in the order of the cluster's configuration (jobs-orchestration.md 4.12).
struct NodePoolChoice: Sendable {
    let pools: [ResourcePoolType]

    /// - Throws: `JobStartRefusal.unschedulable` when there is none.
    init(_ job: JobRecord, _ orchestrator: OrchestratorSection) throws(JobStartRefusal) {
        if let name = job.spec.presetName {
            let names = orchestrator.preset(name)?.availableResourcePoolNames ?? []
            pools = orchestrator.resourcePoolTypes.filter { names.contains($0.name) }
        } else {
            let resources = job.spec.container.resources
            let wantsGPU = [resources.nvidiaGPU, resources.amdGPU, resources.intelGPU].contains { ($0 ?? 0) > 0 }
            // Jobs without GPU are kept off the nodes that have some, where there are others.
            let avoidsGPU = !wantsGPU && orchestrator.resourcePoolTypes.contains { !$0.hasGPU }
            pools = orchestrator.resourcePoolTypes.filter { pool in
                !(avoidsGPU && pool.hasGPU) && pool.canHold(resources, preemptible: job.spec.preemptibleNode)
            }
        }
        if pools.isEmpty { throw .unschedulable }
    }

    func nodeAffinity(label: String) -> NodeAffinity? {
        if label.isEmpty { return nil }
        let terms = pools.map {
            NodeSelectorTerm(matchExpressions: [SelectorRequirement(key: label, operator: "In", values: [$0.name])])
        }
        return NodeAffinity(required: NodeSelector(terms: terms))
    }

    func tolerations(_ job: JobRecord, _ settings: ControllerSettings) -> [Toleration] {
        let resources = job.spec.container.resources
        func wants(_ count: Int?) -> Bool { (count ?? 0) > 0 }
        var keys = [settings.jobToleration]
        if wants(resources.nvidiaGPU) || resources.nvidiaMIGs.values.contains(where: { $0.count > 0 })
            || pools.contains(where: { $0.nvidiaGPU != nil })
        {
            keys.append("nvidia.com/gpu")
        }
        if wants(resources.amdGPU) || pools.contains(where: { $0.amdGPU != nil }) { keys.append("amd.com/gpu") }
        if wants(resources.intelGPU) || pools.contains(where: { $0.intelGPU != nil }) { keys.append("gpu.intel.com/i915") }
        if !settings.preemptibleToleration.isEmpty, job.spec.preemptibleNode || pools.contains(where: \.isPreemptible) {
            keys.append(settings.preemptibleToleration)
        }
        return keys.map { Toleration(key: $0, operator: "Exists", value: "", effect: "NoSchedule") }
    }
}

extension ResourcePoolType {
    fileprivate var hasGPU: Bool { nvidiaGPU != nil || amdGPU != nil || intelGPU != nil }
}
