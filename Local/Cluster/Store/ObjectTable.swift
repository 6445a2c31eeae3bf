import Kubernetes

/// The objects of one kind in the order of their keys (`namespace/name`), which is the order of lists.
struct ObjectTable {
    private var objects: [String: Object] = [:]
    private var order: [String] = []

    static func key(_ namespace: String?, _ name: String) -> String { "\(namespace ?? "")/\(name)" }

    subscript(_ key: String) -> Object? { objects[key] }

    var count: Int { order.count }

    mutating func set(_ object: Object, for key: String) {
        if objects.updateValue(object, forKey: key) == nil { order.insert(key, at: lowerBound(key)) }
    }

    mutating func remove(_ key: String) {
        guard objects.removeValue(forKey: key) != nil else { return }
        order.remove(at: lowerBound(key))
    }

    /// Keys after `after` (all of them when nil) that begin with the namespace's prefix.
    func keys(in namespace: String?, after: String? = nil) -> ArraySlice<String> {
        var start = order.startIndex
        var end = order.endIndex
        if let namespace {
            start = lowerBound("\(namespace)/")
            // "0" follows "/" in ASCII, so this is the first key behind the namespace's.
            end = lowerBound("\(namespace)0")
        }
        if let after {
            let next = lowerBound(after)
            start = max(start, next < order.endIndex && order[next] == after ? next + 1 : next)
        }
        return start < end ? order[start..<end] : []
    }

    private func lowerBound(_ key: String) -> Int {
        var (low, high) = (0, order.count)
        while low < high {
            let middle = (low + high) / 2
            if order[middle] < key { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
