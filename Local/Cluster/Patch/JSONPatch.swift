import Kubernetes

/// JSON patch (RFC 6902).
enum JSONPatch {
    /// More operations are refused, as a genuine server does.
    private static let maximumOperations = 10_000

    /// - Throws: ``StatusError`` 400 for operations that cannot be read, 422 for those that do not fit the object.
    static func apply(_ patch: JSONValue, to target: JSONValue) throws(StatusError) -> JSONValue {
        guard let operations = patch.array else {
            throw .badRequest("error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch")
        }
        guard operations.count <= maximumOperations else {
            throw StatusError(
                413, "RequestEntityTooLarge",
                "Request entity too large: The allowed maximum operations in a JSON patch is \(maximumOperations), got \(operations.count)")
        }
        var value = target
        for operation in operations { try apply(operation: operation, to: &value) }
        return value
    }

    private static func apply(operation: JSONValue, to value: inout JSONValue) throws(StatusError) {
        guard let name = operation["op"]?.string, let path = operation["path"]?.string else {
            throw .badRequest("error decoding patch: an operation needs op and path")
        }
        let place = try pointer(path)
        switch name {
        case "add": try add(try given(operation), at: place[...], in: &value, path: path)
        case "remove": _ = try remove(at: place[...], in: &value, path: path)
        case "replace":
            if place.isEmpty {
                value = try given(operation)
                return
            }
            _ = try remove(at: place[...], in: &value, path: path)
            try add(try given(operation), at: place[...], in: &value, path: path)
        case "test":
            guard found(place[...], in: value) ?? .null == (operation["value"] ?? .null) else {
                throw refusal("testing value \(path) failed")
            }
        case "move":
            let from = try source(operation)
            let moved = try remove(at: from.place[...], in: &value, path: from.text)
            try add(moved, at: place[...], in: &value, path: path)
        case "copy":
            let from = try source(operation)
            guard let copied = found(from.place[...], in: value) else { throw missing(from.text) }
            try add(copied, at: place[...], in: &value, path: path)
        default: throw .badRequest("error decoding patch: unexpected kind: \(name)")
        }
    }

    private static func given(_ operation: JSONValue) throws(StatusError) -> JSONValue {
        guard let value = operation["value"] else { throw .badRequest("error decoding patch: the operation needs a value") }
        return value
    }

    private static func source(_ operation: JSONValue) throws(StatusError) -> (text: String, place: [String]) {
        guard let from = operation["from"]?.string else { throw .badRequest("error decoding patch: the operation needs from") }
        return (from, try pointer(from))
    }

    /// A JSON pointer (RFC 6901) as its steps.
    private static func pointer(_ text: String) throws(StatusError) -> [String] {
        if text.isEmpty { return [] }
        guard text.hasPrefix("/") else { throw .badRequest("error decoding patch: \(text) is no JSON pointer") }
        return text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
            .map { String($0).replacing("~1", with: "/").replacing("~0", with: "~") }
    }

    private static func found(_ place: ArraySlice<String>, in value: JSONValue) -> JSONValue? {
        guard let first = place.first else { return value }
        if let elements = value.array {
            guard let index = Int(first), elements.indices.contains(index) else { return nil }
            return found(place.dropFirst(), in: elements[index])
        }
        return value[first].flatMap { found(place.dropFirst(), in: $0) }
    }

    private static func add(_ new: JSONValue, at place: ArraySlice<String>, in value: inout JSONValue, path: String) throws(StatusError) {
        guard let first = place.first else {
            value = new
            return
        }
        let rest = place.dropFirst()
        switch value {
        case .object(var members):
            if rest.isEmpty {
                members[first] = new
            } else {
                guard var child = members[first] else { throw missing(path) }
                try add(new, at: rest, in: &child, path: path)
                members[first] = child
            }
            value = .object(members)
        case .array(var elements):
            if rest.isEmpty {
                guard let index = first == "-" ? elements.count : Int(first), (0...elements.count).contains(index) else {
                    throw refusal("add operation does not apply: doc is missing path: \"\(path)\": invalid index referenced")
                }
                elements.insert(new, at: index)
            } else {
                guard let index = Int(first), elements.indices.contains(index) else { throw missing(path) }
                try add(new, at: rest, in: &elements[index], path: path)
            }
            value = .array(elements)
        default: throw missing(path)
        }
    }

    private static func remove(at place: ArraySlice<String>, in value: inout JSONValue, path: String) throws(StatusError) -> JSONValue {
        guard let first = place.first else { throw missing(path) }
        let rest = place.dropFirst()
        let removed: JSONValue
        switch value {
        case .object(var members):
            guard var child = members[first] else { throw missing(path) }
            if rest.isEmpty {
                members[first] = nil
                removed = child
            } else {
                removed = try remove(at: rest, in: &child, path: path)
                members[first] = child
            }
            value = .object(members)
        case .array(var elements):
            guard let index = Int(first), elements.indices.contains(index) else { throw missing(path) }
            if rest.isEmpty {
                removed = elements.remove(at: index)
            } else {
                removed = try remove(at: rest, in: &elements[index], path: path)
            }
            value = .array(elements)
        default: throw missing(path)
        }
        return removed
    }

    private static func missing(_ path: String) -> StatusError {
        refusal("remove operation does not apply: doc is missing path: \(path): missing value")
    }

    private static func refusal(_ text: String) -> StatusError {
        StatusError(422, "Invalid", "the server rejected our request due to an error in our request: \(text)", details: .object([:]))
    }
}
