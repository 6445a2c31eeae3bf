import Foundation
import PlatformModel

/// One piece of shared storage that a pod asks for in its annotation `platform.apolo.us/inject-storage` (storage.md 16.2).
public struct StorageInjection: Hashable, Sendable {
    /// The pod's annotation, and the label that makes the API server ask for it.
    public static let key = "platform.apolo.us/inject-storage"

    public enum Mode: String, Hashable, Sendable {
        case read = "r"
        case write = "rw"
    }

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
        guard mountPath.hasPrefix("/") else { throw InvalidInjection("`\(mountPath)` is not an absolute path") }
        guard !Self.parts(mountPath).contains("..") else { throw InvalidInjection("`\(mountPath)` holds `..`") }
        self.mountPath = mountPath
        self.mode = mode
        path = try Self.path(uri, cluster: cluster)
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

    /// By bytes: a combining character after a slash would hide it from a comparison of characters.
    private static func parts(_ path: String) -> [String] {
        path.utf8.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }.filter { $0 != "." }
    }

    /// Two pieces in one place would hide each other.
    public static func checkDistinct(_ items: [StorageInjection]) throws(InvalidInjection) {
        var seen: Set<[String]> = []
        for item in items where !seen.insert(parts(item.mountPath)).inserted {
            throw InvalidInjection("`\(item.mountPath)` is mounted twice")
        }
    }
}

/// Why pieces of storage cannot be had as they were asked for.
public struct InvalidInjection: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}

// MARK: - The annotation

extension StorageInjection {
    /// More pieces in one pod are taken for a mistake.
    static let most = 100

    private struct Item: Decodable {
        let mount_path: String
        let storage_uri: String
        let mount_mode: String?
    }

    /// The pieces that an annotation's text lists. Keys that are not known are ignored.
    public static func parse(_ annotation: String, cluster: String) throws(InvalidInjection) -> [StorageInjection] {
        let items: [Item]
        do {
            items = try JSONDecoder().decode([Item].self, from: Data(annotation.utf8))
        } catch {
            throw InvalidInjection("`\(annotation.prefix(200))` is no list of mount_path and storage_uri: \(error)")
        }
        guard items.count <= most else { throw InvalidInjection("\(items.count) pieces are more than \(most)") }
        var result: [StorageInjection] = []
        for item in items {
            guard let mode = item.mount_mode.map(Mode.init) ?? .write else { throw InvalidInjection("Input should be 'r' or 'rw'") }
            result.append(try StorageInjection(mountPath: item.mount_path, uri: item.storage_uri, mode: mode, cluster: cluster))
        }
        try checkDistinct(result)
        return result
    }
}
