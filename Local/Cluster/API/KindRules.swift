import Kubernetes

/// What the cluster knows of the content of its kinds: defaults, what may be written, what may change. Kinds that are not named here are
/// kept as they are written.
enum KindRules {
    /// Makes an object that was sent into one that can be stored: nobody writes a status by creating, absent fields get their defaults.
    static func prepare(_ object: inout Object, kind: ResourceKind) {
        if kind.has("status") { object["status"] = nil }
        switch kind.storage {
        case "pods": PodDefaults.prepare(&object)
        case "services": ServiceRules.prepare(&object)
        case "secrets": ConfigRules.prepareSecret(&object)
        case "namespaces": NamespaceRules.prepare(&object)
        case "persistentvolumeclaims": VolumeRules.prepareClaim(&object)
        case "persistentvolumes": VolumeRules.prepareVolume(&object)
        case "nodes": object["status"] = object["status"] ?? .object([:])
        case "events": EventRules.prepare(&object)
        case "customresourcedefinitions.apiextensions.k8s.io": DefinitionRules.prepare(&object)
        case "ingresses.networking.k8s.io": object["status"] = ["loadBalancer": [:]]
        default: break
        }
    }

    /// Keeps of `before` what an update of this part may not touch.
    static func prepare(_ after: inout Object, over before: Object, kind: ResourceKind, part: String?) {
        switch part {
        case "status":
            // An update of the status is an update of nothing else.
            let status = after["status"]
            let managed = after.metadata["managedFields"]
            after = before
            after["status"] = status
            after[path: "metadata", "managedFields"] = managed
        case nil where kind.has("status"): after["status"] = before["status"]
        case "finalize":
            let finalizers = after[path: "spec", "finalizers"]
            after = before
            after[path: "spec", "finalizers"] = finalizers
        default: break
        }
        guard part == nil else { return }
        switch kind.storage {
        case "pods": PodDefaults.fill(&after)
        case "services": ServiceRules.fill(&after, over: before)
        case "secrets": ConfigRules.prepareSecret(&after)
        case "namespaces": after[path: "spec", "finalizers"] = before[path: "spec", "finalizers"]
        case "persistentvolumeclaims": VolumeRules.fillClaim(&after)
        case "customresourcedefinitions.apiextensions.k8s.io": DefinitionRules.fill(&after)
        default: break
        }
    }

    /// Why a new object may not be.
    static func faults(of object: Object, kind: ResourceKind) -> [FieldFault] {
        MetadataRules.faults(of: object, kind: kind) + content(of: object, kind: kind)
    }

    /// Why an object may not become this one.
    static func faults(of after: Object, over before: Object, kind: ResourceKind, part: String?) -> [FieldFault] {
        var faults = MetadataRules.faults(of: after, kind: kind)
        if before.deletionTimestamp != nil {
            for added in after.finalizers where !before.finalizers.contains(added) {
                faults.append(
                    .forbidden(
                        "metadata.finalizers",
                        "no new finalizers can be added if the object is being deleted, found new finalizers []string{\"\(added)\"}"))
            }
        }
        guard part == nil else { return faults }
        switch kind.storage {
        case "pods": faults += PodRules.changes(from: before, to: after)
        case "services": faults += ServiceRules.faults(of: after) + ServiceRules.changes(from: before, to: after)
        case "secrets", "configmaps": faults += ConfigRules.faults(of: after) + ConfigRules.changes(from: before, to: after)
        case "persistentvolumeclaims": faults += VolumeRules.claimFaults(of: after) + VolumeRules.changes(from: before, to: after)
        case "customresourcedefinitions.apiextensions.k8s.io": faults += DefinitionRules.faults(of: after)
        default: break
        }
        return faults
    }

    private static func content(of object: Object, kind: ResourceKind) -> [FieldFault] {
        switch kind.storage {
        case "pods": PodRules.faults(of: object)
        case "services": ServiceRules.faults(of: object)
        case "secrets", "configmaps": ConfigRules.faults(of: object)
        case "persistentvolumeclaims": VolumeRules.claimFaults(of: object)
        case "customresourcedefinitions.apiextensions.k8s.io": DefinitionRules.faults(of: object)
        default: []
        }
    }

    /// Whether the cluster counts the object's generations: kinds with a spec, except the few that never did.
    static func hasGeneration(_ object: Object, kind: ResourceKind) -> Bool {
        object["spec"] != nil
            && !["pods", "services", "nodes", "namespaces", "persistentvolumeclaims", "persistentvolumes"]
                .contains(kind.storage)
            && !kind.storage.hasPrefix("leases.")
    }

    /// What a generation counts the changes of.
    static func content(_ object: Object) -> [String: JSONValue] {
        (object.object ?? [:]).filter { $0.key != "metadata" && $0.key != "status" }
    }
}

/// Rules of namespaces.
enum NamespaceRules {
    static func prepare(_ object: inout Object) {
        // Its content goes before it; the keeper of namespaces takes this away when there is none.
        object[path: "spec", "finalizers"] = ["kubernetes"]
        object["status"] = ["phase": "Active"]
        object.labels = object.labels.merging(["kubernetes.io/metadata.name": object.name]) { $1 }
    }
}

/// Rules of events.
enum EventRules {
    static func prepare(_ object: inout Object) {
        if object["type"] == nil { object["type"] = "Normal" }
    }
}
