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
        guard let quantity = Quantities.value(storage) else {
            return faults + [.invalid("spec.resources.requests[storage]", storage, Quantities.text)]
        }
        if quantity <= 0 { faults.append(.invalid(field, storage, "must be greater than zero")) }
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
    static let text = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"

    /// In units; nil when it is no quantity.
    static func value(_ value: JSONValue) -> Double? {
        switch value {
        case .integer(let number): Double(number)
        case .number(let number): number
        case .string(let text): Quantity(text).value
        default: nil
        }
    }
}
