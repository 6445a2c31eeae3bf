import Kubernetes

/// The defaults of a pod, as a genuine server fills them in.
enum PodDefaults {
    static func prepare(_ pod: inout Object) {
        fill(&pod)
        tolerate(&pod)
        pod["status"] = ["phase": "Pending", "qosClass": .string(quality(of: pod))]
    }

    /// Fields of the spec that are absent.
    static func fill(_ pod: inout Object) {
        guard var spec = pod["spec"], spec.object != nil else { return }
        let defaults: [String: JSONValue] = [
            "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
            "schedulerName": "default-scheduler", "securityContext": [:], "enableServiceLinks": true,
        ]
        for (field, value) in defaults where spec[field] == nil { spec[field] = value }
        let account = spec["serviceAccountName"] ?? spec["serviceAccount"] ?? "default"
        spec["serviceAccountName"] = account
        spec["serviceAccount"] = account
        for list in ["containers", "initContainers"] {
            guard let containers = spec[list]?.array else { continue }
            spec[list] = .array(containers.map(container))
        }
        if let volumes = spec["volumes"]?.array { spec["volumes"] = .array(volumes.map(volume)) }
        pod["spec"] = spec
    }

    /// Every pod stays some minutes on a node that is briefly away.
    private static func tolerate(_ pod: inout Object) {
        guard pod["spec"]?.object != nil else { return }
        var tolerations = pod[path: "spec", "tolerations"]?.array ?? []
        for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]
        where !tolerations.contains(where: { $0["key"]?.string == key || ($0["key"] == nil && $0["operator"] == "Exists") }) {
            tolerations.append(["key": .string(key), "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300])
        }
        pod[path: "spec", "tolerations"] = .array(tolerations)
        if pod[path: "spec", "priority"] == nil { pod[path: "spec", "priority"] = 0 }
        if pod[path: "spec", "preemptionPolicy"] == nil { pod[path: "spec", "preemptionPolicy"] = "PreemptLowerPriority" }
    }

    private static func container(_ container: JSONValue) -> JSONValue {
        var container = container
        guard container.object != nil else { return container }
        if container["imagePullPolicy"] == nil {
            let image = container["image"]?.string ?? ""
            let name = image.split(separator: "/").last ?? ""
            let isLatest = !image.contains("@") && (!name.contains(":") || name.hasSuffix(":latest"))
            container["imagePullPolicy"] = isLatest ? "Always" : "IfNotPresent"
        }
        if container["terminationMessagePath"] == nil { container["terminationMessagePath"] = "/dev/termination-log" }
        if container["terminationMessagePolicy"] == nil { container["terminationMessagePolicy"] = "File" }
        if container["resources"] == nil { container["resources"] = .object([:]) }
        if let limits = container["resources"]?["limits"]?.object {
            // A limit without a request is a request too.
            let requests = container["resources"]?["requests"]?.object ?? [:]
            container[path: "resources", "requests"] = .object(limits.merging(requests) { $1 })
        }
        for list in ["limits", "requests"] {
            guard let amounts = container["resources"]?[list]?.object else { continue }
            container[path: "resources", list] = .object(amounts.mapValues(text))
        }
        if let ports = container["ports"]?.array {
            container["ports"] = .array(ports.map { filled($0, ["protocol": "TCP"]) })
        }
        for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
            guard var value = container[probe], value.object != nil else { continue }
            value = filled(value, ["timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3])
            if value["httpGet"]?.object != nil {
                value["httpGet"] = filled(value["httpGet"] ?? .null, ["path": "/", "scheme": "HTTP"])
            }
            container[probe] = value
        }
        if let variables = container["env"]?.array {
            container["env"] = .array(
                variables.map { variable in
                    guard variable["valueFrom"]?["fieldRef"]?.object != nil else { return variable }
                    var variable = variable
                    if variable["valueFrom"]?["fieldRef"]?["apiVersion"] == nil {
                        variable[path: "valueFrom", "fieldRef", "apiVersion"] = "v1"
                    }
                    return variable
                })
        }
        return container
    }

    private static func volume(_ volume: JSONValue) -> JSONValue {
        var volume = volume
        guard let members = volume.object else { return volume }
        // A volume of no kind is an empty folder.
        if members.count == 1, members["name"] != nil { volume["emptyDir"] = .object([:]) }
        for source in ["secret", "configMap", "downwardAPI", "projected"] where volume[source]?.object != nil {
            volume[source] = filled(volume[source] ?? .null, ["defaultMode": 420])
        }
        if volume["hostPath"]?.object != nil { volume["hostPath"] = filled(volume["hostPath"] ?? .null, ["type": ""]) }
        return volume
    }

    private static func filled(_ value: JSONValue, _ defaults: [String: JSONValue]) -> JSONValue {
        guard let members = value.object else { return value }
        return .object(members.merging(defaults) { own, _ in own })
    }

    /// An amount as text, whether it was written as a number or not.
    private static func text(_ value: JSONValue) -> JSONValue {
        switch value {
        case .integer(let number): .string(String(number))
        case .number(let number): .string(number < 1000 ? "\(Int64((number * 1000).rounded(.up)))m" : String(number))
        default: value
        }
    }

    /// The class of service: `Guaranteed` when every container's limits are its requests, `BestEffort` when nothing is said.
    static func quality(of pod: Object) -> String {
        let containers = (pod[path: "spec", "containers"]?.array ?? []) + (pod[path: "spec", "initContainers"]?.array ?? [])
        var said = false
        var guaranteed = true
        for container in containers {
            for resource in ["cpu", "memory"] {
                let request = container["resources"]?["requests"]?[resource].flatMap(Quantities.value) ?? 0
                let limit = container["resources"]?["limits"]?[resource].flatMap(Quantities.value) ?? 0
                said = said || request > 0 || limit > 0
                guaranteed = guaranteed && limit > 0 && request == limit
            }
        }
        return said ? (guaranteed ? "Guaranteed" : "Burstable") : "BestEffort"
    }
}
