import Kubernetes

/// Rules of `metadata`, the same for all kinds but for the names.
enum MetadataRules {
    static func faults(of object: Object, kind: ResourceKind) -> [FieldFault] {
        name(of: object, kind: kind) + labels(of: object) + annotations(of: object) + finalizers(of: object) + owners(of: object)
    }

    private static func name(of object: Object, kind: ResourceKind) -> [FieldFault] {
        let name = object.name
        guard !name.isEmpty else { return [.required("metadata.name", "name or generateName is required")] }
        switch kind.storage {
        case "namespaces":
            return NameRules.isLabel(name) ? [] : [.invalid("metadata.name", .string(name), NameRules.labelText)]
        case "services":
            return NameRules.isServiceName(name) ? [] : [.invalid("metadata.name", .string(name), NameRules.serviceText)]
        case "events", "roles.rbac.authorization.k8s.io", "rolebindings.rbac.authorization.k8s.io",
            "clusterroles.rbac.authorization.k8s.io", "clusterrolebindings.rbac.authorization.k8s.io":
            return NameRules.isPathSegment(name) ? [] : [.invalid("metadata.name", .string(name), "may not contain '/' or '%'")]
        default:
            if name.utf8.count > 253 { return [.invalid("metadata.name", .string(name), "must be no more than 253 characters")] }
            return NameRules.isSubdomain(name) ? [] : [.invalid("metadata.name", .string(name), NameRules.subdomainText)]
        }
    }

    private static func labels(of object: Object) -> [FieldFault] {
        guard let labels = object.metadata["labels"], labels != .null else { return [] }
        guard let members = labels.object else { return [.invalid("metadata.labels", labels, "must be a map")] }
        return pairs(members, "metadata.labels")
    }

    /// Labels anywhere: of an object, of a selector.
    static func pairs(_ members: [String: JSONValue], _ field: String) -> [FieldFault] {
        members.sorted { $0.key < $1.key }.flatMap { key, value -> [FieldFault] in
            var faults: [FieldFault] = []
            if !NameRules.isQualifiedName(key) { faults.append(.invalid(field, .string(key), NameRules.qualifiedNameText)) }
            guard let text = value.string else { return faults + [.invalid(field, value, "must be a string")] }
            if text.utf8.count > 63 {
                faults.append(.invalid(field, value, "must be no more than 63 characters"))
            } else if !NameRules.isLabelValue(text) {
                faults.append(.invalid(field, value, NameRules.labelValueText))
            }
            return faults
        }
    }

    private static func annotations(of object: Object) -> [FieldFault] {
        guard let annotations = object.metadata["annotations"], annotations != .null else { return [] }
        guard let members = annotations.object else { return [.invalid("metadata.annotations", annotations, "must be a map")] }
        var faults: [FieldFault] = []
        var size = 0
        for (key, value) in members.sorted(by: { $0.key < $1.key }) {
            if !NameRules.isQualifiedName(key.lowercased()) {
                faults.append(.invalid("metadata.annotations", .string(key), NameRules.qualifiedNameText))
            }
            guard let text = value.string else {
                faults.append(.invalid("metadata.annotations", value, "must be a string"))
                continue
            }
            size += key.utf8.count + text.utf8.count
        }
        if size > 256 << 10 { faults.append(.tooLong("metadata.annotations", limit: 256 << 10)) }
        return faults
    }

    private static func finalizers(of object: Object) -> [FieldFault] {
        object.finalizers.filter { !NameRules.isQualifiedName($0) }
            .map { .invalid("metadata.finalizers", .string($0), NameRules.qualifiedNameText) }
    }

    private static func owners(of object: Object) -> [FieldFault] {
        let references = object.metadata["ownerReferences"]?.array ?? []
        var faults: [FieldFault] = []
        for reference in references {
            for field in ["apiVersion", "kind", "name", "uid"] where reference[field]?.string?.isEmpty ?? true {
                faults.append(.invalid("metadata.ownerReferences.\(field)", reference[field] ?? "", "\(field) must not be empty"))
            }
        }
        if references.filter({ $0["controller"]?.bool == true }).count > 1 {
            faults.append(
                .invalid("metadata.ownerReferences", .array(references), "Only one reference can have Controller set to true"))
        }
        return faults
    }
}
