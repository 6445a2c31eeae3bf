import Kubernetes

/// Rules of claims and volumes.
enum VolumeRules {
    static func prepareClaim(_ object: inout Object) {
        object["status"] = ["phase": "Pending"]
        fillClaim(&object)
    }

    static func fillClaim(_ object: inout Object) {
        if object[path: "spec", "volumeMode"] == nil { object[path: "spec", "volumeMode"] = "Filesystem" }
    }

    static func prepareVolume(_ object: inout Object) {
        object["status"] = ["phase": "Pending"]
        if object[path: "spec", "volumeMode"] == nil { object[path: "spec", "volumeMode"] = "Filesystem" }
        if object[path: "spec", "persistentVolumeReclaimPolicy"] == nil {
            object[path: "spec", "persistentVolumeReclaimPolicy"] = "Retain"
        }
    }

    static func claimFaults(of object: Object) -> [FieldFault] {
        var faults: [FieldFault] = []
        let modes = object[path: "spec", "accessModes"]?.array ?? []
        if modes.isEmpty { faults.append(.required("spec.accessModes", "at least 1 access mode is required")) }
        let known = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"]
        for (index, mode) in modes.enumerated() where !known.contains(mode.string ?? "") {
            faults.append(.unsupported("spec.accessModes[\(index)]", mode.string ?? "", known))
        }
        let field = "spec.resources[storage]"
        guard let storage = object[path: "spec", "resources", "requests", "storage"] else { return faults + [.required(field)] }
        if Quantities.value(storage) ?? 0 <= 0 { faults.append(.invalid(field, storage, "must be greater than zero")) }
        return faults
    }

    static func changes(from before: Object, to after: Object) -> [FieldFault] {
        var (old, new) = (before["spec"] ?? .null, after["spec"] ?? .null)
        // The binder fills in the volume; growing is allowed.
        if old["volumeName"] == nil { new["volumeName"] = nil }
        old["resources"] = nil
        new["resources"] = nil
        return old == new ? [] : [.forbidden("spec", "spec is immutable after creation except resources.requests for bound claims")]
    }
}

/// Amounts of resources.
enum Quantities {
    /// In units; nil when it is no quantity.
    static func value(_ value: JSONValue) -> Double? {
        switch value {
        case .integer(let number): Double(number)
        case .number(let number): number
        case .string(let text): Quantity(text).value
        default: nil
        }
    }

    /// A genuine server reads amounts while it reads the object, so that one which is none is told before anything else.
    /// - Throws: ``StatusError`` 400.
    static func check(_ object: Object, kind: ResourceKind) throws(StatusError) {
        for amount in amounts(in: object, kind: kind) where value(amount) == nil {
            throw .badRequest(
                "\(kind.kind) in version \"\(kind.version)\" cannot be handled as a \(kind.kind): quantities must match the regular "
                    + "expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
        }
    }

    private static func amounts(in object: Object, kind: ResourceKind) -> [JSONValue] {
        let spec = object["spec"] ?? .null
        func listed(_ resources: JSONValue?) -> [JSONValue] {
            ["limits", "requests"].flatMap { (resources?[$0]?.object ?? [:]).values }
        }
        switch kind.storage {
        case "pods":
            let containers = (spec["containers"]?.array ?? []) + (spec["initContainers"]?.array ?? [])
            let limits = (spec["volumes"]?.array ?? []).compactMap { $0["emptyDir"]?["sizeLimit"] }
            return containers.flatMap { listed($0["resources"]) } + limits.filter { $0 != .null }
        case "persistentvolumeclaims": return listed(spec["resources"])
        case "persistentvolumes": return Array((spec["capacity"]?.object ?? [:]).values)
        default: return []
        }
    }
}
