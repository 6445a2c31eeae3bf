import Kubernetes

/// The fields that a manager has set, as `fieldsV1` of `metadata.managedFields` writes them: `f:name` for members, `k:{…}` for elements of
/// lists by their keys, `v:…` for elements of sets, `.` for the thing itself.
struct FieldSet: Equatable, Sendable {
    /// A step of a path.
    enum Step: Hashable, Sendable {
        case field(String)
        /// The key fields of an element, as JSON text.
        case element(String)
        case value(String)

        var text: String {
            switch self {
            case .field(let name): "f:\(name)"
            case .element(let key): "k:\(key)"
            case .value(let value): "v:\(value)"
            }
        }

        init?(_ text: String) {
            switch text.prefix(2) {
            case "f:": self = .field(String(text.dropFirst(2)))
            case "k:": self = .element(String(text.dropFirst(2)))
            case "v:": self = .value(String(text.dropFirst(2)))
            default: return nil
            }
        }
    }

    /// The paths of all leaves and of all elements of lists.
    var paths: Set<[Step]> = []

    init() {}

    /// The fields that an applied configuration has, without those that identify it.
    init(of configuration: Object) {
        for (name, value) in configuration.object ?? [:] where !["apiVersion", "kind"].contains(name) {
            if name == "metadata" {
                let skipped: Set = ["name", "namespace", "managedFields", "uid", "resourceVersion", "creationTimestamp", "generation"]
                for (member, value) in value.object ?? [:] where !skipped.contains(member) {
                    collect(value, path: [.field("metadata"), .field(member)], field: member, parent: "metadata")
                }
            } else {
                collect(value, path: [.field(name)], field: name, parent: "")
            }
        }
    }

    private mutating func collect(_ value: JSONValue, path: [Step], field: String, parent: String) {
        switch value {
        case .object(let members) where !members.isEmpty:
            for (name, member) in members { collect(member, path: path + [.field(name)], field: name, parent: field) }
        case .array(let elements) where MergeKeys.isSet(field, parent: parent):
            for element in elements { paths.insert(path + [.value(JSONWriter.text(element))]) }
        case .array(let elements):
            guard let identity = MergeKeys.identity(of: field, parent: parent), elements.allSatisfy({ $0.object != nil }) else {
                paths.insert(path)
                return
            }
            for element in elements {
                let step = Step.element(FieldSet.key(of: element, identity))
                paths.insert(path + [step])
                for (name, member) in element.object ?? [:] {
                    collect(member, path: path + [step, .field(name)], field: name, parent: field)
                }
            }
        default: paths.insert(path)
        }
    }

    /// What tells an element apart, as JSON text.
    static func key(of element: JSONValue, _ identity: [String]) -> String {
        var key: [String: JSONValue] = [:]
        for name in identity { key[name] = element[name] ?? (name == "protocol" ? "TCP" : nil) }
        return JSONWriter.text(.object(key))
    }

    // MARK: fieldsV1

    init(_ value: JSONValue) { read(value, path: []) }

    private mutating func read(_ value: JSONValue, path: [Step]) {
        let members = value.object ?? [:]
        if members.isEmpty || members["."] != nil, !path.isEmpty { paths.insert(path) }
        for (name, member) in members {
            if let step = Step(name) { read(member, path: path + [step]) }
        }
    }

    var value: JSONValue {
        var root = JSONValue.object([:])
        for path in paths {
            root[path: path.map(\.text)] = root[path: path.map(\.text)] ?? .object([:])
        }
        for path in paths where root[path: path.map(\.text)]?.object?.isEmpty == false {
            root[path: path.map(\.text) + ["."]] = .object([:])
        }
        return root
    }
}
