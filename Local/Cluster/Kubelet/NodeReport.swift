import Foundation
import Kubernetes
import ServiceKit

/// The node's object, as true as the machine is. Pure.
struct NodeReport: Sendable {
    let machine: Machine
    let podmanVersion: String
    let isEngineAnswering: Bool
    /// Bytes that could be had now.
    let availableMemory: Int64
    let availableDisk: Int64
    let now: Date

    /// Labels that a node always has; others, and other values, are their writers'.
    func labels(name: String) -> [String: String] {
        [
            "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": Machine.architecture,
            "beta.kubernetes.io/os": "linux", "beta.kubernetes.io/arch": Machine.architecture,
        ]
    }

    /// Puts the machine's truth into the object.
    func apply(to node: inout Object, name: String) {
        node.labels = labels(name: name).merging(node.labels) { $1 }
        if node["spec"] == nil { node["spec"] = .object([:]) }
        if node[path: "spec", "providerID"] == nil { node[path: "spec", "providerID"] = .string("orrery://\(name)") }
        var status = node["status"] ?? .object([:])
        status["capacity"] = Self.strings(machine.capacity)
        status["allocatable"] = Self.strings(machine.allocatable)
        status["addresses"] = [
            ["type": "InternalIP", "address": .string(machine.address)], ["type": "Hostname", "address": .string(name)],
        ]
        status["nodeInfo"] = [
            "architecture": .string(Machine.architecture), "operatingSystem": "linux", "osImage": .string(machine.operatingSystem),
            "kernelVersion": .string(machine.kernel), "kubeletVersion": .string("v\(BuildVersion.current)-orrery"),
            "kubeProxyVersion": .string("v\(BuildVersion.current)-orrery"),
            "containerRuntimeVersion": .string("podman://\(podmanVersion)"), "machineID": .string(machine.identifier),
            "systemUUID": .string(machine.identifier), "bootID": .string(machine.bootIdentifier),
        ]
        status["conditions"] = .array(conditions(status["conditions"]?.array ?? []))
        node["status"] = status
    }

    private func conditions(_ before: [JSONValue]) -> [JSONValue] {
        let isShortOfMemory = availableMemory < Machine.reservedMemory
        let isShortOfDisk = availableDisk < machine.disk / 10
        var wanted: [(type: String, isTrue: Bool, reason: String?, message: String?)] = [
            (
                "MemoryPressure", isShortOfMemory, isShortOfMemory ? "KubeletHasInsufficientMemory" : "KubeletHasSufficientMemory",
                isShortOfMemory ? "kubelet has insufficient memory available" : "kubelet has sufficient memory available"
            ),
            (
                "DiskPressure", isShortOfDisk, isShortOfDisk ? "KubeletHasDiskPressure" : "KubeletHasNoDiskPressure",
                isShortOfDisk ? "kubelet has disk pressure" : "kubelet has no disk pressure"
            ),
            ("PIDPressure", false, "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        ]
        wanted.append(
            isEngineAnswering
                ? ("Ready", true, "KubeletReady", "kubelet is posting ready status")
                : ("Ready", false, "KubeletNotReady", "container runtime is down"))
        return PodStatusBuilder.merge(wanted, into: before, now: now).map { condition in
            var condition = condition
            condition["lastProbeTime"] = nil
            condition["lastHeartbeatTime"] = .string(KubernetesTime.format(now))
            return condition
        }
    }

    private static func strings(_ values: [String: String]) -> JSONValue { .object(values.mapValues { .string($0) }) }
}
