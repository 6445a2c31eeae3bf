import Kubernetes

/// Kubernetes' own patch: objects merge by member, some lists by a key, with directives (`$patch`, `$deleteFromPrimitiveList/<list>`,
/// `$setElementOrder/<list>`, `$retainKeys`).
enum StrategicMergePatch {
    /// - Throws: ``StatusError`` 400 for a directive that cannot be read.
    static func apply(_ patch: JSONValue, to target: JSONValue) throws(StatusError) -> JSONValue {
        guard patch.object != nil else { throw .badRequest("the patch of an object must be an object") }
        return try merge(patch, into: target, field: "", parent: "") ?? .object([:])
    }

    /// - Parameter parent: the name of the field that the nearest object or list around this one stands in.
    private static func merge(_ patch: JSONValue, into target: JSONValue, field: String, parent: String) throws(StatusError) -> JSONValue? {
        guard var changes = patch.object else { return patch }
        switch changes.removeValue(forKey: "$patch") {
        case nil, "merge": break
        case "replace": return .object(cleaned(changes))
        case "delete": return nil
        case let other?: throw .badRequest("Unknown patch type found: \(JSONWriter.text(other))")
        }
        var members = target.object ?? [:]
        if let kept = changes.removeValue(forKey: "$retainKeys")?.array {
            let names = Set(kept.compactMap(\.string))
            members = members.filter { names.contains($0.key) }
        }
        var orders: [String: [JSONValue]] = [:]
        for (name, value) in changes where name.hasPrefix("$") {
            changes[name] = nil
            if name.hasPrefix("$setElementOrder/") {
                orders[String(name.dropFirst("$setElementOrder/".count))] = value.array ?? []
            } else if name.hasPrefix("$deleteFromPrimitiveList/") {
                let list = String(name.dropFirst("$deleteFromPrimitiveList/".count))
                let gone = value.array ?? []
                if let elements = members[list]?.array { members[list] = .array(elements.filter { !gone.contains($0) }) }
            } else {
                throw .badRequest("Unknown patch directive found: \(name)")
            }
        }
        for (name, change) in changes {
            switch change {
            case .null: members[name] = nil
            case .object: members[name] = try merge(change, into: members[name] ?? .null, field: name, parent: field)
            case .array(let elements):
                members[name] = .array(try mergeList(elements, into: members[name]?.array ?? [], field: name, parent: field))
            default: members[name] = change
            }
        }
        for (name, order) in orders {
            guard let elements = members[name]?.array else { continue }
            let key = MergeKeys.key(of: name, parent: field, element: elements.first)
            members[name] = .array(sorted(elements, by: order, key: key))
        }
        return .object(members)
    }

    private static func mergeList(
        _ patch: [JSONValue], into target: [JSONValue], field: String, parent: String
    ) throws(StatusError) -> [JSONValue] {
        if let replacing = patch.first(where: { $0["$patch"] == "replace" && $0.object?.count == 1 }) {
            return patch.filter { $0 != replacing }.map { .object(cleaned($0.object ?? [:])) }
        }
        if MergeKeys.isSet(field, parent: parent) { return target + patch.filter { !target.contains($0) } }
        guard let key = MergeKeys.key(of: field, parent: parent, element: patch.first), patch.allSatisfy({ $0.object != nil }) else {
            return patch
        }
        var merged = target
        for element in patch {
            let position = merged.firstIndex { $0[key] == element[key] && element[key] != nil }
            guard let result = try merge(element, into: position.map { merged[$0] } ?? .null, field: field, parent: parent) else {
                if let position { merged.remove(at: position) }
                continue
            }
            if let position { merged[position] = result } else { merged.append(result) }
        }
        return merged
    }

    /// Elements that the order names in its order; the others keep their places relative to those before them.
    private static func sorted(_ elements: [JSONValue], by order: [JSONValue], key: String?) -> [JSONValue] {
        func identity(_ element: JSONValue) -> JSONValue { key.flatMap { element[$0] } ?? element }
        let wanted = order.map(identity)
        var known = elements.filter { wanted.contains(identity($0)) }
        known.sort { left, right in
            (wanted.firstIndex(of: identity(left)) ?? 0) < (wanted.firstIndex(of: identity(right)) ?? 0)
        }
        var next = known.makeIterator()
        return elements.map { wanted.contains(identity($0)) ? next.next() ?? $0 : $0 }
    }

    /// Without directives.
    private static func cleaned(_ members: [String: JSONValue]) -> [String: JSONValue] { members.filter { !$0.key.hasPrefix("$") } }
}
