import Foundation

/// What lies under a cluster's storage: where its nodes find the files that storage-api serves, so that pods can mount them. It stands in the
/// member `kubernetes` of the document's `credentials`, since it lets jobs see folders of the nodes: operators alone set it, and nobody but the
/// control plane's services and the cluster itself reads it.
///
/// In JSON a list of `{"path": "/x", "host_path": {"path": "/exports", "type": ""}}` or `{"path": null, "nfs": {"server": "…", "path": "…"}}`;
/// `path` is the place in the storage from which on a back end holds the files, the whole storage when absent.
public struct StorageBackends: Hashable, Sendable {
    /// Where the files are, seen from a node.
    public enum Source: Hashable, Sendable {
        /// A folder of the node. `type` is Kubernetes' own: `""`, `Directory` or `DirectoryOrCreate`.
        case hostPath(path: String, type: String)
        case nfs(server: String, path: String)

        /// A folder further down in the same place.
        public func appending(_ components: some Collection<String>) -> Source {
            func longer(_ path: String) -> String {
                components.isEmpty ? path : (path == "/" ? "" : path) + "/" + components.joined(separator: "/")
            }
            return switch self {
            case .hostPath(let path, let type): .hostPath(path: longer(path), type: type)
            case .nfs(let server, let path): .nfs(server: server, path: longer(path))
            }
        }
    }

    public struct Backend: Hashable, Sendable {
        /// The way from the storage's root to what the back end holds.
        public let place: [String]
        public let source: Source

        public init(place: [String] = [], source: Source) {
            self.place = place
            self.source = source
        }
    }

    /// What is wrong with a table: the field and the rule.
    public struct Invalid: Error, Hashable, CustomStringConvertible {
        public let field: String
        public let rule: String
        public var description: String { "\(field): \(rule)" }
    }

    public let all: [Backend]

    public var isEmpty: Bool { all.isEmpty }

    public init(_ all: [Backend]) { self.all = all }

    /// Where a place in the storage is: of all back ends that it lies in, the one that goes furthest.
    /// - Returns: the source and the way from there; nil if none holds it.
    public func find(_ path: [String]) -> (source: Source, rest: ArraySlice<String>)? {
        let holders = all.filter { backend in
            // A file's name is bytes: what looks the same is not.
            backend.place.count <= path.count && zip(backend.place, path).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
        }
        return holders.max { $0.place.count < $1.place.count }.map { ($0.source, path.dropFirst($0.place.count)) }
    }
}

// MARK: - As JSON

extension StorageBackends {
    /// - Parameter name: what the value is called in refusals.
    public init(_ json: JSON, name: String) throws(Invalid) {
        guard case .array(let elements) = json else { throw Invalid(field: name, rule: "expected a list") }
        var all: [Backend] = []
        for (index, element) in elements.enumerated() {
            let backend = try Backend(element, name: "\(name)[\(index)]")
            if all.contains(where: { $0.place == backend.place }) {
                throw Invalid(field: "\(name)[\(index)].path", rule: "two back ends hold '/\(backend.place.joined(separator: "/"))'")
            }
            all.append(backend)
        }
        self.all = all
    }

    /// The text of such a list.
    public init(text: String, name: String) throws(Invalid) {
        guard let json = try? JSONDecoder().decode(JSON.self, from: Data(text.utf8)) else {
            throw Invalid(field: name, rule: "is not JSON")
        }
        try self.init(json, name: name)
    }

    /// The components of an absolute path that holds no empty, `.` and `..` ones.
    fileprivate static func components(_ value: JSON?, _ field: String) throws(Invalid) -> [String] {
        guard let path = value?.string, path.hasPrefix("/") else { throw Invalid(field: field, rule: "must be an absolute path") }
        if path == "/" { return [] }
        let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard !parts.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." || $0.utf8.contains(0) }) else {
            throw Invalid(field: field, rule: "must not hold empty parts, '.' and '..'")
        }
        return parts
    }
}

extension StorageBackends.Backend {
    private static let types = ["", "Directory", "DirectoryOrCreate"]

    fileprivate init(_ json: JSON, name: String) throws(StorageBackends.Invalid) {
        typealias Invalid = StorageBackends.Invalid
        guard case .object = json else { throw Invalid(field: name, rule: "expected an object") }
        place = json["path"] == nil || json["path"] == .null ? [] : try StorageBackends.components(json["path"], "\(name).path")
        switch (json["host_path"], json["nfs"]) {
        case (let host?, nil):
            let path = try StorageBackends.components(host["path"], "\(name).host_path.path")
            let type = host["type"] == nil || host["type"] == .null ? "" : host["type"]?.string
            guard let type, Self.types.contains(type) else {
                throw Invalid(field: "\(name).host_path.type", rule: "must be \"\", \"Directory\" or \"DirectoryOrCreate\"")
            }
            source = .hostPath(path: "/" + path.joined(separator: "/"), type: type)
        case (nil, let nfs?):
            guard let server = nfs["server"]?.string, !server.isEmpty else {
                throw Invalid(field: "\(name).nfs.server", rule: "is required")
            }
            let path = try StorageBackends.components(nfs["path"], "\(name).nfs.path")
            source = .nfs(server: server, path: "/" + path.joined(separator: "/"))
        default: throw Invalid(field: name, rule: "either host_path or nfs is required")
        }
    }

    fileprivate var json: JSON {
        var members: [String: JSON] = ["path": place.isEmpty ? .null : .string("/" + place.joined(separator: "/"))]
        switch source {
        case .hostPath(let path, let type): members["host_path"] = .object(["path": .string(path), "type": .string(type)])
        case .nfs(let server, let path): members["nfs"] = .object(["server": .string(server), "path": .string(path)])
        }
        return .object(members)
    }
}

extension StorageBackends {
    public var json: JSON { .array(all.map(\.json)) }
}

extension ClusterDocument {
    /// What refusals call it.
    public static let storageBackendsField = "credentials.kubernetes.storage_backends"

    /// None when the reader may not see credentials or the cluster has none: then whatever runs in the cluster sees to volumes.
    public var storageBackends: StorageBackends {
        get throws(StorageBackends.Invalid) {
            guard let json = credentials?["kubernetes"]?["storage_backends"], json != .null else { return StorageBackends([]) }
            return try StorageBackends(json, name: Self.storageBackendsField)
        }
    }
}
