import Kubernetes

/// The kind of storage that this cluster makes itself: directories of the machine.
enum StorageClasses {
    static let provisioner = "orrery.local/directory"
    static let standardName = "standard"
    private static let defaultMark = "storageclass.kubernetes.io/is-default-class"

    /// The class that is there from the start.
    static let standard: Object = [
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
        "metadata": ["name": .string(standardName), "annotations": [defaultMark: "true"]],
        "provisioner": .string(provisioner), "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate", "allowVolumeExpansion": true,
    ]

    /// The class of a claim that names none: the newest of those that are marked.
    static func defaultClass(_ classes: [Object]) -> Object? {
        classes.filter {
            $0.annotations[defaultMark] == "true" || $0.annotations["storageclass.beta.kubernetes.io/is-default-class"] == "true"
        }
        .max { ($0.creationTimestamp ?? .distantPast, $1.name) < ($1.creationTimestamp ?? .distantPast, $0.name) }
    }
}

/// Amounts of storage.
enum StorageAmount {
    /// In bytes; nil when it is no amount.
    static func bytes(_ value: JSONValue?) -> Double? {
        switch value {
        case .string(let text)?: Quantity(text).value
        case .integer(let number)?: Double(number)
        case .number(let number)?: number
        default: nil
        }
    }

    static func requested(_ claim: Object) -> JSONValue? { claim[path: "spec", "resources", "requests", "storage"] }
    static func capacity(_ volume: Object) -> JSONValue? { volume[path: "spec", "capacity", "storage"] }
}
