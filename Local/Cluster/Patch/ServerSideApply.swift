import Foundation
import Kubernetes

/// Server-side apply: a manager says what it wants to have set; what it wanted before and wants no more goes, unless somebody else wants
/// it; what another wants otherwise is a conflict, unless the manager insists.
///
/// Fields are tracked for those who apply. Ordinary updates own nothing here, so they are overwritten without a conflict.
enum ServerSideApply {
    struct Request: Sendable {
        let configuration: Object
        let manager: String
        let force: Bool
        let now: Date
        /// `status`, or empty.
        let subresource: String
    }

    /// - Returns: what the object becomes.
    /// - Throws: ``StatusError`` 409.
    static func apply(_ request: Request, to present: Object, key: ObjectKey) throws(StatusError) -> Object {
        let wanted = FieldSet(of: request.configuration)
        var entries = present.metadata["managedFields"]?.array ?? []
        let own = entries.firstIndex { isOwn($0, request) }
        let before = own.map { FieldSet(entries[$0]["fieldsV1"] ?? .null) } ?? FieldSet()
        var merged = merge(request.configuration, into: present, field: "", parent: "")
        merged[path: "metadata", "managedFields"] = nil
        try resolveConflicts(request, wanted: wanted, present: present, merged: merged, entries: &entries, key: key)
        let others = entries.filter { !isOwn($0, request) }.map { FieldSet($0["fieldsV1"] ?? .null).paths }
        var removed: [[FieldSet.Step]] = []
        for path in before.paths.subtracting(wanted.paths).sorted(by: { $0.count < $1.count }) {
            // With an element go its members; what it is told apart by goes with it alone.
            if removed.contains(where: { path.starts(with: $0) }) || isKey(path) { continue }
            let isKept = others.contains { fields in fields.contains { $0.starts(with: path) } }
            let isParent = wanted.paths.contains { $0.starts(with: path) }
            guard !isKept, !isParent else { continue }
            merged = remove(path[...], from: merged) ?? .object([:])
            removed.append(path)
        }
        var entry: JSONValue = [
            "manager": .string(request.manager), "operation": "Apply", "apiVersion": .string(key.kind.apiVersion),
            "time": .string(KubernetesTime.format(request.now)), "fieldsType": "FieldsV1", "fieldsV1": wanted.value,
        ]
        if !request.subresource.isEmpty { entry["subresource"] = .string(request.subresource) }
        if let own = entries.firstIndex(where: { isOwn($0, request) }) {
            // To apply the same again changes nothing, not even the time.
            if before != wanted || merged != withoutManagers(present) { entries[own] = entry }
        } else {
            entries.append(entry)
        }
        merged[path: "metadata", "managedFields"] = .array(entries)
        return merged
    }

    /// The entries of a new object.
    static func managedFields(_ request: Request, kind: ResourceKind) -> JSONValue {
        [
            [
                "manager": .string(request.manager), "operation": "Apply", "apiVersion": .string(kind.apiVersion),
                "time": .string(KubernetesTime.format(request.now)), "fieldsType": "FieldsV1",
                "fieldsV1": FieldSet(of: request.configuration).value,
            ]
        ]
    }

    private static func isOwn(_ entry: JSONValue, _ request: Request) -> Bool {
        entry["manager"]?.string == request.manager && entry["operation"] == "Apply"
            && (entry["subresource"]?.string ?? "") == request.subresource
    }

    private static func withoutManagers(_ object: Object) -> Object {
        var object = object
        object[path: "metadata", "managedFields"] = nil
        return object
    }

    /// Finds those who want another value; with force they lose the field.
    private static func resolveConflicts(
        _ request: Request, wanted: FieldSet, present: Object, merged: Object, entries: inout [JSONValue], key: ObjectKey
    ) throws(StatusError) {
        var causes: [JSONValue] = []
        var texts: [String] = []
        for index in entries.indices where !isOwn(entries[index], request) {
            var fields = FieldSet(entries[index]["fieldsV1"] ?? .null)
            let taken = fields.paths.intersection(wanted.paths).filter { path in
                // That both want an element is no conflict; what is in it may be.
                if case .element = path.last { return false }
                return find(path[...], in: present) != find(path[...], in: merged)
            }
            guard !taken.isEmpty else { continue }
            let manager = entries[index]["manager"]?.string ?? ""
            for path in taken.map(shown).sorted() {
                causes.append([
                    "reason": "FieldManagerConflict", "message": .string("conflict with \"\(manager)\""), "field": .string(path),
                ])
                texts.append("conflict with \"\(manager)\": \(path)")
            }
            fields.paths.subtract(taken)
            entries[index]["fieldsV1"] = fields.value
        }
        guard causes.isEmpty || request.force else {
            let count = causes.count
            throw StatusError(
                409, "Conflict", "Apply failed with \(count) conflict\(count == 1 ? "" : "s"): \(texts.joined(separator: "\n"))",
                details: ["causes": .array(causes)])
        }
        entries.removeAll { !isOwn($0, request) && FieldSet($0["fieldsV1"] ?? .null).paths.isEmpty }
    }

    /// Whether a field is part of what tells the element around it apart.
    private static func isKey(_ path: [FieldSet.Step]) -> Bool {
        guard path.count >= 2, case .field(let name) = path[path.count - 1], case .element(let key) = path[path.count - 2] else {
            return false
        }
        return (try? JSONParser.parse(key.utf8))?[name] != nil
    }

    private static func shown(_ path: [FieldSet.Step]) -> String {
        path.map { step in
            switch step {
            case .field(let name): return ".\(name)"
            case .element(let key):
                let members = (try? JSONParser.parse(key.utf8))?.object ?? [:]
                return "[" + members.sorted { $0.key < $1.key }.map { "\($0.key)=\(JSONWriter.text($0.value))" }.joined(separator: ",")
                    + "]"
            case .value(let value): return "[=\(value)]"
            }
        }.joined()
    }

    private static func merge(_ patch: JSONValue, into target: JSONValue, field: String, parent: String) -> JSONValue {
        switch patch {
        case .object(let changes):
            var members = target.object ?? [:]
            for (name, change) in changes {
                members[name] = change == .null ? nil : merge(change, into: members[name] ?? .null, field: name, parent: field)
            }
            return .object(members)
        case .array(let elements):
            let present = target.array ?? []
            if MergeKeys.isSet(field, parent: parent) { return .array(present + elements.filter { !present.contains($0) }) }
            guard let identity = MergeKeys.identity(of: field, parent: parent), elements.allSatisfy({ $0.object != nil }) else {
                return patch
            }
            var merged = present
            for element in elements {
                let key = FieldSet.key(of: element, identity)
                if let position = merged.firstIndex(where: { FieldSet.key(of: $0, identity) == key }) {
                    merged[position] = merge(element, into: merged[position], field: field, parent: parent)
                } else {
                    merged.append(element)
                }
            }
            return .array(merged)
        default: return patch
        }
    }

    private static func position(_ step: FieldSet.Step, in elements: [JSONValue]) -> Int? {
        switch step {
        case .field: return nil
        case .value(let text): return elements.firstIndex { JSONWriter.text($0) == text }
        case .element(let text):
            guard let key = (try? JSONParser.parse(text.utf8))?.object else { return nil }
            return elements.firstIndex { FieldSet.key(of: $0, Array(key.keys)) == text }
        }
    }

    private static func find(_ path: ArraySlice<FieldSet.Step>, in value: JSONValue) -> JSONValue? {
        guard let first = path.first else { return value }
        if case .field(let name) = first { return value[name].flatMap { find(path.dropFirst(), in: $0) } }
        guard let elements = value.array, let index = position(first, in: elements) else { return nil }
        return find(path.dropFirst(), in: elements[index])
    }

    /// The value without what is at the path; nil when that was all of it.
    private static func remove(_ path: ArraySlice<FieldSet.Step>, from value: JSONValue) -> JSONValue? {
        guard let first = path.first else { return nil }
        if case .field(let name) = first {
            guard var members = value.object, let child = members[name] else { return value }
            members[name] = remove(path.dropFirst(), from: child)
            // What has lost its last member is as good as absent.
            return members.isEmpty ? nil : .object(members)
        }
        guard var elements = value.array, let index = position(first, in: elements) else { return value }
        if let rest = remove(path.dropFirst(), from: elements[index]) {
            elements[index] = rest
        } else {
            elements.remove(at: index)
        }
        return elements.isEmpty ? nil : .array(elements)
    }
}
