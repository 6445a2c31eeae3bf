import Foundation
import Kubernetes

/// What a pod must look like.
enum PodRules {
    static func faults(of pod: Object) -> [FieldFault] {
        let spec = pod["spec"] ?? .null
        var faults = volumes(spec)
        let names = Set((spec["volumes"]?.array ?? []).compactMap { $0["name"]?.string })
        let containers = spec["containers"]?.array ?? []
        if containers.isEmpty { faults.append(.required("spec.containers")) }
        var used: Set<String> = []
        for (list, members) in [("containers", containers), ("initContainers", spec["initContainers"]?.array ?? [])] {
            for (index, container) in members.enumerated() {
                let field = "spec.\(list)[\(index)]"
                faults += ContainerRules.faults(of: container, field: field, volumes: names)
                if let name = container["name"]?.string, !used.insert(name).inserted {
                    faults.append(.duplicate("\(field).name", .string(name)))
                }
            }
        }
        faults += choice(spec["restartPolicy"], "spec.restartPolicy", ["Always", "OnFailure", "Never"])
        faults += choice(spec["dnsPolicy"], "spec.dnsPolicy", ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"])
        if let deadline = spec["activeDeadlineSeconds"], !(1...Int64(Int32.max)).contains(deadline.integer ?? 0) {
            faults.append(.invalid("spec.activeDeadlineSeconds", deadline, "must be between 1 and 2147483647, inclusive"))
        }
        if let grace = spec["terminationGracePeriodSeconds"], (grace.integer ?? -1) < 0 {
            faults.append(.invalid("spec.terminationGracePeriodSeconds", grace, "must be greater than or equal to 0"))
        }
        if let selector = spec["nodeSelector"]?.object { faults += MetadataRules.pairs(selector, "spec.nodeSelector") }
        if let name = spec["hostname"]?.string, !name.isEmpty, !NameRules.isLabel(name) {
            faults.append(.invalid("spec.hostname", .string(name), NameRules.labelText))
        }
        for (index, toleration) in (spec["tolerations"]?.array ?? []).enumerated() {
            faults += self.toleration(toleration, "spec.tolerations[\(index)]")
        }
        return faults
    }

    static func choice(_ value: JSONValue?, _ field: String, _ allowed: [String]) -> [FieldFault] {
        guard let value else { return [] }
        return allowed.contains(value.string ?? "") ? [] : [.unsupported(field, value.string ?? JSONWriter.text(value), allowed)]
    }

    private static func toleration(_ value: JSONValue, _ field: String) -> [FieldFault] {
        let key = value["key"]?.string ?? ""
        let comparison = value["operator"]?.string ?? "Equal"
        if !key.isEmpty, !NameRules.isQualifiedName(key) { return [.invalid("\(field).key", .string(key), NameRules.qualifiedNameText)] }
        if key.isEmpty, comparison != "Exists" {
            return [
                .invalid(
                    "\(field).operator", .string(comparison),
                    "operator must be Exists when `key` is empty, which means \"match all values and all keys\"")
            ]
        }
        return []
    }

    private static func volumes(_ spec: JSONValue) -> [FieldFault] {
        var faults: [FieldFault] = []
        var names: Set<String> = []
        for (index, volume) in (spec["volumes"]?.array ?? []).enumerated() {
            let field = "spec.volumes[\(index)]"
            guard let name = volume["name"]?.string, !name.isEmpty else {
                faults.append(.required("\(field).name"))
                continue
            }
            if !NameRules.isLabel(name) { faults.append(.invalid("\(field).name", .string(name), NameRules.labelText)) }
            if !names.insert(name).inserted { faults.append(.duplicate("\(field).name", .string(name))) }
            let sources = (volume.object ?? [:]).filter { $0.key != "name" && $0.value != .null }.keys.sorted()
            if sources.count > 1 { faults.append(.forbidden("\(field).\(sources[1])", "may not specify more than 1 volume type")) }
            func require(_ source: String, _ member: String) {
                guard let value = volume[source], value != .null else { return }
                if value[member]?.string?.isEmpty ?? true { faults.append(.required("\(field).\(source).\(member)")) }
            }
            require("secret", "secretName")
            require("configMap", "name")
            require("persistentVolumeClaim", "claimName")
            require("hostPath", "path")
        }
        return faults
    }

    /// What of a pod may change: images, the deadline (shorter), the grace period of a going one, more tolerations.
    static func changes(from before: Object, to after: Object) -> [FieldFault] {
        var (old, new) = (before["spec"] ?? .null, after["spec"] ?? .null)
        var faults: [FieldFault] = []
        if let was = old["activeDeadlineSeconds"]?.integer {
            if let now = new["activeDeadlineSeconds"]?.integer {
                if now > was {
                    faults.append(
                        .invalid("spec.activeDeadlineSeconds", .integer(now), "must be less than or equal to previous value"))
                }
            } else {
                faults.append(.invalid("spec.activeDeadlineSeconds", nil, "must not update from a positive integer to nil value"))
            }
        }
        let tolerations = old["tolerations"]?.array ?? []
        if !tolerations.allSatisfy({ (new["tolerations"]?.array ?? []).contains($0) }) {
            faults.append(.forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds"))
        }
        for field in ["activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"] {
            old[field] = nil
            new[field] = nil
        }
        // A binding that has not been made yet may come with an update.
        if old["nodeName"]?.string?.isEmpty ?? true { new["nodeName"] = old["nodeName"] }
        for list in ["containers", "initContainers"] {
            for (index, container) in (new[list]?.array ?? []).enumerated() where container["image"]?.string?.isEmpty ?? true {
                faults.append(.required("spec.\(list)[\(index)].image"))
            }
            old[list] = withoutImages(old[list])
            new[list] = withoutImages(new[list])
        }
        if old != new {
            faults.append(
                .forbidden(
                    "spec",
                    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
                        + "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
                        + "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"))
        }
        return faults
    }

    private static func withoutImages(_ containers: JSONValue?) -> JSONValue? {
        guard let containers = containers?.array else { return containers }
        return .array(
            containers.map { container in
                var container = container
                container["image"] = nil
                return container
            })
    }
}
