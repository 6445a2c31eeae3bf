import Foundation
import Kubernetes

/// A directory or file of the machine inside of a container.
struct ContainerMount: Sendable, Equatable {
    var source: String
    var destination: String
    var isReadOnly = false
    /// Instead of a source, memory of this container alone: options of a tmpfs.
    var memory: [String]?

    var json: JSONValue {
        if let memory {
            return [
                "Destination": .string(destination), "Type": "tmpfs", "Source": "tmpfs",
                "Options": .array((memory + [isReadOnly ? "ro" : "rw"]).map { .string($0) }),
            ]
        }
        return [
            "Destination": .string(destination), "Type": "bind", "Source": .string(source),
            "Options": .array(["rbind", .string(isReadOnly ? "ro" : "rw"), "rprivate"]),
        ]
    }
}

/// What podman is asked to make for a pod. Pure.
struct ContainerSpecification: Sendable {
    enum Label {
        static let cluster = "orrery.cluster"
        static let uid = "orrery.pod.uid"
        static let namespace = "orrery.pod.namespace"
        static let name = "orrery.pod.name"
        static let container = "orrery.container"
        static let attempt = "orrery.attempt"
        /// On the container that holds the pod's network.
        static let holder = "orrery.holder"
    }
    let pod: PodTemplate
    /// The cluster's fingerprint.
    let cluster: String

    private var labels: [String: JSONValue] {
        [
            Label.cluster: .string(cluster), Label.uid: .string(pod.uid), Label.namespace: .string(pod.namespace),
            Label.name: .string(pod.name),
        ]
    }

    static func name(uid: String, container: String, attempt: Int) -> String { "\(uid)_\(container)_\(attempt)" }
    static func holderName(uid: String, attempt: Int) -> String { "\(uid)_\(attempt)" }

    /// The container that only waits and holds the network and what else is shared.
    func holder(attempt: Int, root: String, network: String, mounts: [ContainerMount]) -> JSONValue {
        var labels = labels
        labels[Label.holder] = .string(String(attempt))
        var value: JSONValue = [
            "name": .string(Self.holderName(uid: pod.uid, attempt: attempt)), "rootfs": .string(root), "command": ["/pause", "-P"],
            "labels": .object(labels), "log_configuration": ["driver": "none"], "oom_score_adj": 0, "stop_timeout": 0,
            "use_image_hosts": true, "mounts": .array(mounts.map(\.json)),
        ]
        if pod.usesHostNetwork {
            value["netns"] = ["nsmode": "host"]
        } else {
            value["netns"] = ["nsmode": "bridge"]
            value["Networks"] = .object([network: .object([:])])
            value["use_image_resolve_conf"] = true
            value["hostname"] = .string(pod.hostname)
        }
        if pod.spec["hostIPC"]?.bool == true { value["ipcns"] = ["nsmode": "host"] }
        if pod.spec["hostPID"]?.bool == true { value["pidns"] = ["nsmode": "host"] }
        var settings: [String: JSONValue] = [:]
        for setting in pod.securityContext["sysctls"]?.array ?? [] {
            if let name = setting["name"]?.string, let value = setting["value"] { settings[name] = value }
        }
        if !settings.isEmpty { value["sysctl"] = .object(settings) }
        return value
    }

    struct Run: Sendable {
        let container: ContainerTemplate
        let attempt: Int
        let holder: String
        let environment: [(name: String, value: String)]
        let mounts: [ContainerMount]
        let log: String
        let machineMemory: Int64
        /// The machine accounts for swap, so that it can be forbidden.
        var limitsSwap = true
    }

    func container(_ run: Run) -> JSONValue {
        let container = run.container
        var labels = labels
        labels[Label.container] = .string(container.name)
        labels[Label.attempt] = .string(String(run.attempt))
        let values = Dictionary(run.environment.map { ($0.name, $0.value) }) { $1 }
        func expanded(_ words: [String]) -> JSONValue {
            .array(words.map { .string(VariableExpansion.expand($0) { values[$0] }) })
        }
        var environment = values.mapValues { JSONValue.string($0) }
        if environment["HOSTNAME"] == nil { environment["HOSTNAME"] = .string(pod.hostname) }
        let inside: JSONValue = ["nsmode": "container", "value": .string(run.holder)]
        var value: JSONValue = [
            "name": .string(Self.name(uid: pod.uid, container: container.name, attempt: run.attempt)),
            "image": .string((try? ImageReference(container.image))?.description ?? container.image), "labels": .object(labels),
            "env": .object(environment), "unsetenv": ["container"], "mounts": .array(run.mounts.map(\.json)),
            "log_configuration": ["driver": "k8s-file", "path": .string(run.log)], "create_working_dir": true,
            // A check of the image's own is none of a pod's, and a timer of the machine.
            "healthconfig": ["Test": ["NONE"]], "use_image_hosts": true,
            "oom_score_adj": .integer(
                Int64(PodResourceAmounts(pod: pod).outOfMemoryScore(container, machineMemory: run.machineMemory))),
            "resource_limits": limits(container, limitsSwap: run.limitsSwap), "ipcns": inside,
        ]
        // podman refuses settings of the network in a container that joins one.
        value["netns"] = pod.usesHostNetwork ? ["nsmode": "host"] : inside
        if !pod.usesHostNetwork { value["utsns"] = inside }
        if pod.spec["hostIPC"]?.bool == true { value["ipcns"] = ["nsmode": "host"] }
        if pod.spec["hostPID"]?.bool == true { value["pidns"] = ["nsmode": "host"] } else if pod.sharesProcesses { value["pidns"] = inside }
        if !container.command.isEmpty { value["entrypoint"] = expanded(container.command) }
        if !container.arguments.isEmpty { value["command"] = expanded(container.arguments) }
        if let folder = container.workingFolder { value["work_dir"] = .string(folder) }
        if container.value["stdin"]?.bool == true { value["stdin"] = true }
        if container.value["tty"]?.bool == true { value["terminal"] = true }
        applySecurity(container, to: &value)
        return value
    }

    private func limits(_ container: ContainerTemplate, limitsSwap: Bool) -> JSONValue {
        var limits: JSONValue = .object([:])
        limits[path: "cpu", "shares"] = .integer(PodResourceAmounts.cpuShares(milliCPU: container.request("cpu")?.milliValue ?? 0))
        if let cpu = container.limit("cpu")?.milliValue, cpu > 0 {
            // The kernel takes no quota under a millisecond.
            limits[path: "cpu", "quota"] = .integer(max(cpu * 100, 1000))
            limits[path: "cpu", "period"] = 100_000
        }
        if let memory = container.limit("memory")?.wholeValue, memory > 0 {
            limits[path: "memory", "limit"] = .integer(memory)
            if limitsSwap { limits[path: "memory", "swap"] = .integer(memory) }
        }
        return limits
    }

    private func applySecurity(_ container: ContainerTemplate, to value: inout JSONValue) {
        let own = container.securityContext
        let shared = pod.securityContext
        if own["privileged"]?.bool == true { value["privileged"] = true }
        if let user = (own["runAsUser"] ?? shared["runAsUser"])?.integer {
            let group = (own["runAsGroup"] ?? shared["runAsGroup"])?.integer
            value["user"] = .string(group.map { "\(user):\($0)" } ?? "\(user)")
        }
        var groups = (shared["supplementalGroups"]?.array ?? []).compactMap(\.integer)
        if let group = shared["fsGroup"]?.integer { groups.append(group) }
        if !groups.isEmpty { value["groups"] = .array(groups.map { .string(String($0)) }) }
        if own["allowPrivilegeEscalation"]?.bool == false { value["no_new_privileges"] = true }
        if own["readOnlyRootFilesystem"]?.bool == true { value["read_only_filesystem"] = true }
        func capabilities(_ list: String) -> JSONValue? {
            let names = (own[path: "capabilities", list]?.array ?? []).compactMap(\.string).map { $0.uppercased() }
            return names.isEmpty ? nil : .array(names.map { .string($0 == "ALL" || $0.hasPrefix("CAP_") ? $0 : "CAP_\($0)") })
        }
        if let added = capabilities("add") { value["cap_add"] = added }
        if let dropped = capabilities("drop") { value["cap_drop"] = dropped }
    }
}
