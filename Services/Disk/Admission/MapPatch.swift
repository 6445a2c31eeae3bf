import Kubernetes

/// What becomes of an object's labels or annotations, as a JSON patch of `add` operations.
struct MapPatch {
    private let path: String
    private let standing: [String: String]?
    private var wanted: [String: String]

    /// - Parameter map: null is the same as absent.
    init(_ path: String, _ map: JSONValue?) {
        self.path = path
        standing = map?.object?.compactMapValues(\.string)
        wanted = standing ?? [:]
    }

    func value(_ key: DiskKey) -> String? { key.value(in: wanted) }

    mutating func write(_ key: DiskKey, _ value: String) { key.write(value, to: &wanted) }

    mutating func remove(_ key: DiskKey) {
        wanted[key.old] = nil
        wanted[key.new] = nil
    }

    var operations: [JSONValue] {
        // A map that is replaced is the one way to take something away with `add`.
        let kept = standing?.filter { wanted[$0.key] != nil }
        var operations: [JSONValue] = []
        if kept == nil || kept?.count != standing?.count {
            operations.append(["op": "add", "path": .string(path), "value": .object((kept ?? [:]).mapValues { .string($0) })])
        }
        for (key, value) in wanted.sorted(by: { $0.key < $1.key }) where kept?[key] != value {
            // RFC 6901.
            let name = key.replacing("~", with: "~0").replacing("/", with: "~1")
            operations.append(["op": "add", "path": .string("\(path)/\(name)"), "value": .string(value)])
        }
        return operations
    }
}
