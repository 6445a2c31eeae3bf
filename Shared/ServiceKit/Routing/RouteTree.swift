/// The routes as a tree of segments. At each step a literal wins over `{name}`, and that over `{name...}`, which takes as much as leaves
/// the rest of its template matched, and last comes `{name*}`; the methods of everything that matches a path together are its `Allow`.
struct RouteTree<Value: Sendable>: Sendable {
    /// A node that matched, with the raw text that its parameters took.
    struct Match {
        let captures: [Substring]
        let values: [String: Value]
    }

    private indirect enum Child: Sendable {
        case none
        case some(RouteTree)
    }

    private var literals: [Substring: RouteTree] = [:]
    private var one = Child.none
    private var many = Child.none
    private var rest = Child.none
    /// By method.
    private var values: [String: Value] = [:]

    /// Adds a value; false when the place is taken.
    mutating func insert(_ value: Value, method: String, at segments: ArraySlice<PathTemplate.Segment>) -> Bool {
        guard let first = segments.first else {
            return values.updateValue(value, forKey: method) == nil
        }
        let rest = segments.dropFirst()
        switch first {
        case .literal(let text):
            return literals[Substring(text), default: RouteTree()].insert(value, method: method, at: rest)
        case .one:
            return RouteTree.insert(value, method: method, at: rest, into: &one)
        case .many:
            return RouteTree.insert(value, method: method, at: rest, into: &many)
        case .rest:
            return RouteTree.insert(value, method: method, at: rest, into: &self.rest)
        }
    }

    private static func insert(_ value: Value, method: String, at rest: ArraySlice<PathTemplate.Segment>, into child: inout Child) -> Bool {
        var tree = if case .some(let tree) = child { tree } else { RouteTree() }
        let added = tree.insert(value, method: method, at: rest)
        child = .some(tree)
        return added
    }

    /// Every node that matches the raw path, the most specific first.
    func matches(_ path: Substring) -> [Match] {
        guard path.first == "/" else { return [] }
        let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        var found: [Match] = []
        collect(segments[...], captures: [], into: &found)
        return found
    }

    private func collect(_ segments: ArraySlice<Substring>, captures: [Substring], into found: inout [Match]) {
        guard let first = segments.first else {
            if !values.isEmpty { found.append(Match(captures: captures, values: values)) }
            return
        }
        literals[first]?.collect(segments.dropFirst(), captures: captures, into: &found)
        defer {
            if case .some(let tree) = rest { tree.collect([], captures: captures + [first.base[first.startIndex...]], into: &found) }
        }
        // "/" is one empty segment; any other empty segment is a double or a trailing slash, which only `{name*}` takes.
        guard !first.isEmpty else { return }
        if case .some(let tree) = one { tree.collect(segments.dropFirst(), captures: captures + [first], into: &found) }
        if case .some(let tree) = many {
            var whole: [Match] = []
            for count in stride(from: segments.count, through: 1, by: -1) {
                let taken = segments.prefix(count)
                guard let last = taken.last, !taken.contains(where: \.isEmpty) else { continue }
                let text = first.base[first.startIndex..<last.endIndex]
                // A template that goes on after the parameter is more specific than one that ends with it.
                if count == segments.count {
                    tree.collect([], captures: captures + [text], into: &whole)
                } else {
                    tree.collect(segments.dropFirst(count), captures: captures + [text], into: &found)
                }
            }
            found += whole
        }
    }
}
