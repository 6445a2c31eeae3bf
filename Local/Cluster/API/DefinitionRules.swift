import Kubernetes

/// Rules of CustomResourceDefinitions.
enum DefinitionRules {
    static func prepare(_ object: inout Object) {
        fill(&object)
        // Its objects go before it.
        object.finalizers = object.finalizers.filter { $0 != DefinitionKeeper.finalizer } + [DefinitionKeeper.finalizer]
        let names = object[path: "spec", "names"] ?? .object([:])
        let now = object.creationTimestamp.map(KubernetesTime.format)
        func condition(_ type: String, _ reason: String, _ message: String) -> JSONValue {
            var condition: JSONValue = ["type": .string(type), "status": "True", "reason": .string(reason), "message": .string(message)]
            if let now { condition["lastTransitionTime"] = .string(now) }
            return condition
        }
        let stored = (object[path: "spec", "versions"]?.array ?? []).filter { $0["storage"]?.bool == true }.compactMap { $0["name"] }
        object["status"] = [
            "acceptedNames": names, "storedVersions": .array(stored),
            "conditions": [
                condition("NamesAccepted", "NoConflicts", "no conflicts found"),
                condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
            ],
        ]
    }

    static func fill(_ object: inout Object) {
        guard let kind = object[path: "spec", "names", "kind"]?.string else { return }
        if object[path: "spec", "names", "singular"] == nil { object[path: "spec", "names", "singular"] = .string(kind.lowercased()) }
        if object[path: "spec", "names", "listKind"] == nil { object[path: "spec", "names", "listKind"] = .string("\(kind)List") }
        if object[path: "spec", "conversion"] == nil { object[path: "spec", "conversion"] = ["strategy": "None"] }
    }

    static func faults(of object: Object) -> [FieldFault] {
        var faults: [FieldFault] = []
        let spec = object["spec"] ?? .null
        let group = spec["group"]?.string ?? ""
        let plural = spec["names"]?["plural"]?.string ?? ""
        if group.isEmpty { faults.append(.required("spec.group")) }
        if plural.isEmpty { faults.append(.required("spec.names.plural")) }
        if spec["names"]?["kind"]?.string?.isEmpty ?? true { faults.append(.required("spec.names.kind")) }
        if !["Namespaced", "Cluster"].contains(spec["scope"]?.string) {
            faults.append(
                spec["scope"] == nil
                    ? .required("spec.scope") : .unsupported("spec.scope", spec["scope"]?.string ?? "", ["Cluster", "Namespaced"]))
        }
        if !group.isEmpty, !plural.isEmpty, object.name != "\(plural).\(group)" {
            faults.append(.invalid("metadata.name", .string(object.name), "must be spec.names.plural+\".\"+spec.group"))
        }
        let versions = spec["versions"]?.array ?? []
        if versions.filter({ $0["storage"]?.bool == true }).count != 1 {
            faults.append(
                .invalid(
                    "spec.versions", .array(versions.compactMap { $0["name"] }), "must have exactly one version marked as storage version"))
        }
        return faults
    }
}
