import PlatformModel

/// What a principal can reach at and below a URI: the answer to "what may it list".
public struct PermissionTree: Hashable, Sendable, Codable {
    /// `/` and the decoded segments of the queried URI; `/` alone for a whole scheme.
    public var path: String
    public var root: Node

    /// The action on one place, and on what differs below it. A child's action is never lower than its parent's.
    public struct Node: Hashable, Sendable, Codable {
        public var action: Action
        /// Keyed by single decoded segments.
        public var children: [String: Node]

        public init(action: Action, children: [String: Node] = [:]) {
            self.action = action
            self.children = children
        }
    }

    public init(path: String, root: Node) {
        self.path = path
        self.root = root
    }

    /// A flat object: `path`, `action`, `children`.
    private enum CodingKeys: String, CodingKey { case path, action, children }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        path = try container.decode(String.self, forKey: .path)
        root = Node(
            action: try container.decode(Action.self, forKey: .action),
            children: try container.decode([String: Node].self, forKey: .children))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(path, forKey: .path)
        try container.encode(root.action, forKey: .action)
        try container.encode(root.children, forKey: .children)
    }
}

extension PermissionTree {
    /// Builds the tree of `uri` from effective grants (roles already expanded).
    ///
    /// A grant deeper than `depth` segments below the root contributes only `list` at the root. Nodes that add nothing to what they
    /// inherit are left out.
    public init(of uri: ResourceURI, grants: some Sequence<Permission>, depth: Int? = nil) {
        var root = Node(action: .deny)
        let base = uri.segments.count
        for grant in grants {
            if grant.uri.covers(uri) {
                root.action = max(root.action, grant.action)
            } else if uri.covers(grant.uri) {
                let below = grant.uri.segments.dropFirst(base)
                if let depth, below.count > depth {
                    root.action = max(root.action, .list)
                } else {
                    root.insert(grant.action, at: below)
                }
            }
        }
        root.settle(inherited: .deny)
        self.init(path: "/" + uri.segments.joined(separator: "/"), root: root)
    }

    /// The action on a place given by its decoded segments below the root. `list` says that something lies below and is not inherited.
    public func action(below segments: some Sequence<String>) -> Action {
        var node = root
        for segment in segments {
            guard let child = node.children[segment] else { return node.action > .list ? node.action : .deny }
            node = child
        }
        return node.action
    }

    /// The action on a URI of the same scheme; `deny` for one that is not at or below the root.
    public func action(on uri: ResourceURI) -> Action {
        let base = path.split(separator: "/").map(String.init)
        guard uri.segments.starts(with: base) else { return .deny }
        return action(below: uri.segments.dropFirst(base.count))
    }
}

extension PermissionTree.Node {
    fileprivate mutating func insert(_ action: Action, at segments: ArraySlice<String>) {
        guard let first = segments.first else {
            self.action = max(self.action, action)
            return
        }
        children[first, default: .init(action: .deny)].insert(action, at: segments.dropFirst())
    }

    /// Lets actions flow down, marks ancestors with `list`, drops what adds nothing.
    fileprivate mutating func settle(inherited: Action) {
        action = max(action, inherited)
        if action == .deny, !children.isEmpty { action = .list }
        let passedOn = action > .list ? action : .deny
        for (name, var child) in children {
            child.settle(inherited: passedOn)
            children[name] = child.children.isEmpty && child.action <= passedOn ? nil : child
        }
    }
}
