import PlatformModel

/// The effective grants of a principal, roles expanded: the highest action for each URI.
struct GrantTable: Sendable {
    private(set) var actions: [String: Action] = [:]

    mutating func add(_ uri: String, _ action: Action) {
        actions[uri] = max(actions[uri] ?? .deny, action)
    }

    /// The effective action on a URI: the highest of all grants on it and above it.
    func action(on uri: ResourceURI) -> Action {
        Prefixes.of(uri).reduce(.deny) { max($0, actions[$1] ?? .deny) }
    }

    /// Every grant; URIs that cannot be read (none should be there) are left out.
    var permissions: [Permission] {
        actions.compactMap { uri, action in
            guard let uri = try? ResourceURI(uri) else { return nil }
            return Permission(uri, action)
        }
    }
}

extension GrantTable {
    /// The flat list, as `GET …/permissions` answers it: with a filter, what comes from above becomes one entry of the filter itself, and
    /// entries below follow if they add something. A filter that is a whole scheme shows all its entries as they are.
    func list(below filter: ResourceURI?) -> [Permission] {
        let all = permissions.sorted { $0.uri.text < $1.uri.text }
        guard let filter else { return all }
        guard !filter.segments.isEmpty else { return all.filter { $0.uri.scheme == filter.scheme } }
        let inherited = action(on: filter)
        let entry = inherited.isGrantable ? [Permission(filter, inherited)] : []
        return entry + all.filter { filter.covers($0.uri) && $0.uri != filter && $0.action > inherited }
    }
}
