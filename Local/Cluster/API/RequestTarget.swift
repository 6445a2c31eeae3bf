/// What a path below `/api` or `/apis` means.
enum RequestTarget: Equatable {
    /// `/apis/<group>`
    case group(String)
    /// `/api/v1`, `/apis/<group>/<version>`
    case version(group: String, version: String)
    case resource(ResourcePath)

    /// - Throws: ``StatusError`` 404.
    init(core path: String) throws(StatusError) {
        let parts = path.split(separator: "/").map(String.init)
        guard let version = parts.first else { throw .unknownResource() }
        guard parts.count > 1 else {
            self = .version(group: "", version: version)
            return
        }
        self = .resource(try ResourcePath(group: "", version: version, parts: parts.dropFirst()))
    }

    /// - Throws: ``StatusError`` 404.
    init(grouped path: String) throws(StatusError) {
        let parts = path.split(separator: "/").map(String.init)
        switch parts.count {
        case 0: throw .unknownResource()
        case 1: self = .group(parts[0])
        case 2: self = .version(group: parts[0], version: parts[1])
        default: self = .resource(try ResourcePath(group: parts[0], version: parts[1], parts: parts.dropFirst(2)))
        }
    }
}

/// A collection, an object or a part of one.
struct ResourcePath: Equatable {
    let group: String
    let version: String
    let plural: String
    let namespace: String?
    let name: String?
    let subresource: String?

    init(group: String, version: String, parts: ArraySlice<String>) throws(StatusError) {
        self.group = group
        self.version = version
        var parts = parts
        // Below a namespace is what it holds, except its own few parts.
        let own = ["status", "finalize"]
        if parts.first == "namespaces", parts.count >= 3, !(parts.count == 3 && own.contains(parts[parts.startIndex + 2])) {
            namespace = parts[parts.startIndex + 1]
            parts = parts.dropFirst(2)
        } else {
            namespace = nil
        }
        guard let plural = parts.first, parts.count <= 3 else { throw .unknownResource() }
        self.plural = plural
        name = parts.dropFirst().first
        subresource = parts.dropFirst(2).first
    }
}
