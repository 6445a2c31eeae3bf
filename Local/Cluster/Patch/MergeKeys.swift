import Kubernetes

/// How the lists of the built-in kinds are merged, by the names of their fields: their own structure tells the same in the genuine API.
enum MergeKeys {
    /// The lists whose elements are one by a key.
    private static let keys: [String: [String]] = [
        "containers": ["name"], "initContainers": ["name"], "ephemeralContainers": ["name"], "volumes": ["name"], "env": ["name"],
        "imagePullSecrets": ["name"], "volumeMounts": ["mountPath"], "volumeDevices": ["devicePath"], "hostAliases": ["ip"],
        "ownerReferences": ["uid"], "conditions": ["type"], "topologySpreadConstraints": ["topologyKey"], "podIPs": ["ip"],
        "hostIPs": ["ip"], "resourceClaims": ["name"], "secrets": ["name"],
    ]

    /// The lists that are sets of texts.
    private static let sets: Set<String> = ["finalizers"]

    /// The member by which elements of a list are told apart; nil when the list is replaced as a whole.
    static func key(of field: String, parent: String, element: JSONValue?) -> String? {
        switch field {
        case "ports":
            // A container's by containerPort, a Service's by port; those of Endpoints are replaced.
            if parent == "containers" || parent == "initContainers" { return "containerPort" }
            return parent == "spec" ? "port" : nil
        case "taints": return parent == "spec" ? "key" : nil
        case "addresses": return parent == "status" ? "type" : nil
        case "subjects", "rules", "tolerations": return nil
        case "env" where element?["name"] == nil: return nil
        default: return keys[field]?.first
        }
    }

    static func isSet(_ field: String, parent: String) -> Bool {
        sets.contains(field) && parent == "metadata"
    }

    /// The fields of which an element's identity is made in server-side apply.
    static func identity(of field: String, parent: String) -> [String]? {
        switch field {
        case "ports":
            if parent == "containers" || parent == "initContainers" { return ["containerPort", "protocol"] }
            return parent == "spec" ? ["port", "protocol"] : nil
        default: return key(of: field, parent: parent, element: ["name": ""]).map { [$0] }
        }
    }
}
