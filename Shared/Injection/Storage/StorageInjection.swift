import PlatformModel

/// One piece of shared storage that a pod asks for in its annotation `platform.apolo.us/inject-storage` (storage.md 16.2).
public struct StorageInjection: Hashable, Sendable {
    /// The pod's annotation, and the label that makes the API server ask for it.
    public static let key = "platform.apolo.us/inject-storage"

    public typealias Mode = InjectedPlace.Mode

    /// Absolute, in the container.
    public let mountPath: String
    /// The way from the storage's root: the org, the project and what lies in it.
    public let path: [String]
    public let mode: Mode

    public var org: String { path[0] }
    public var project: String { path[1] }

    /// - Parameters:
    ///   - uri: `storage://<cluster>/<org>/<project>[/…]`.
    ///   - cluster: the only one that the URI may name.
    public init(mountPath: String, uri: String, mode: Mode, cluster: String) throws(InvalidInjection) {
        try self.init(InjectedPlace(mountPath: mountPath, mode: mode, uri: uri), cluster: cluster)
    }

    private init(_ place: InjectedPlace, cluster: String) throws(InvalidInjection) {
        mountPath = place.mountPath
        mode = place.mode
        path = try Self.path(place.uri, cluster: cluster)
    }

    private static func path(_ uri: String, cluster: String) throws(InvalidInjection) -> [String] {
        let scheme = "storage://"
        guard uri.hasPrefix(scheme) else { throw InvalidInjection("`\(uri)` does not follow the storage:// schema") }
        var parts = uri.dropFirst(scheme.count).split(separator: "/", omittingEmptySubsequences: false)[...]
        // A folder may be named with a slash behind it.
        if parts.count > 3, parts.last?.isEmpty == true { parts.removeLast() }
        guard parts.count >= 3, !parts.prefix(3).contains("") else {
            throw InvalidInjection("`\(uri)` is invalid. Cluster, org and project names must be present in the storage URI")
        }
        guard parts.removeFirst() == cluster else { throw InvalidInjection("`\(uri)` is not in the cluster `\(cluster)`") }
        var path: [String] = []
        for part in parts {
            // Each component is decoded by itself, and once: what comes out must be a name.
            guard let name = PercentCoding.decode(part), !name.isEmpty, name != ".", name != "..", !part.contains("?"), !part.contains("#"),
                !name.utf8.contains(0), !name.utf8.contains(UInt8(ascii: "/"))
            else { throw InvalidInjection("`\(uri)` holds `\(part)`, which is no name") }
            path.append(name)
        }
        return path
    }

    /// Two pieces in one place would hide each other.
    public static func checkDistinct(_ items: [StorageInjection]) throws(InvalidInjection) {
        try InjectedPlace.checkDistinct(items.map(\.mountPath))
    }
}

// MARK: - The annotation

extension StorageInjection {
    /// The pieces that an annotation's text lists.
    public static func parse(_ annotation: String, cluster: String) throws(InvalidInjection) -> [StorageInjection] {
        var result: [StorageInjection] = []
        for place in try InjectedPlace.parse(annotation, uri: "storage_uri") {
            result.append(try StorageInjection(place, cluster: cluster))
        }
        return result
    }
}
