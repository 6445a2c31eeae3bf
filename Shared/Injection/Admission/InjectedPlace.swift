import Foundation

/// One line of an annotation that asks for something to be mounted: what, and where in the pod's containers.
public struct InjectedPlace: Hashable, Sendable {
    public enum Mode: String, Hashable, Sendable {
        case read = "r"
        case write = "rw"
    }

    /// More of them in one pod are taken for a mistake.
    static let most = 100

    /// Absolute, in the container.
    public let mountPath: String
    public let mode: Mode
    /// Of what is mounted, as it was written.
    public let uri: String

    /// - Throws: for a path that is not absolute or leads up.
    public init(mountPath: String, mode: Mode, uri: String) throws(InvalidInjection) {
        guard mountPath.hasPrefix("/") else { throw InvalidInjection("`\(mountPath)` is not an absolute path") }
        guard !Self.parts(mountPath).contains("..") else { throw InvalidInjection("`\(mountPath)` holds `..`") }
        self.mountPath = mountPath
        self.mode = mode
        self.uri = uri
    }

    /// By bytes: a combining character after a slash would hide it from a comparison of characters.
    private static func parts(_ path: String) -> [String] {
        path.utf8.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }.filter { $0 != "." }
    }

    /// Two pieces in one place would hide each other.
    public static func checkDistinct(_ mountPaths: [String]) throws(InvalidInjection) {
        var seen: Set<[String]> = []
        for path in mountPaths where !seen.insert(parts(path)).inserted { throw InvalidInjection("`\(path)` is mounted twice") }
    }

    /// Whether two paths of a container are the same place.
    public static func isSame(_ path: String, _ other: String) -> Bool { parts(path) == parts(other) }
}

// MARK: - The annotation

extension InjectedPlace {
    /// The lines of an annotation's text, a JSON array of objects with `mount_path`, the URI, and perhaps `mount_mode`. Keys that are not known are
    /// ignored.
    /// - Parameter key: what the URI is called in them.
    public static func parse(_ annotation: String, uri key: String) throws(InvalidInjection) -> [InjectedPlace] {
        let items: [[String: JSONText]]
        do {
            items = try JSONDecoder().decode([[String: JSONText]].self, from: Data(annotation.utf8))
        } catch {
            throw InvalidInjection("`\(annotation.prefix(200))` is no list of mount_path and \(key): \(error)")
        }
        guard items.count <= most else { throw InvalidInjection("\(items.count) pieces are more than \(most)") }
        var places: [InjectedPlace] = []
        for item in items {
            guard case .text(let path)? = item["mount_path"], case .text(let uri)? = item[key] else {
                throw InvalidInjection("mount_path and \(key) should be texts")
            }
            let mode: Mode?
            switch item["mount_mode"] {
            case nil, .null: mode = .write
            case .text(let text): mode = Mode(rawValue: text)
            case .other: mode = nil
            }
            guard let mode else { throw InvalidInjection("Input should be 'r' or 'rw'") }
            places.append(try InjectedPlace(mountPath: path, mode: mode, uri: uri))
        }
        try checkDistinct(places.map(\.mountPath))
        return places
    }
}

/// A member of an object of which texts alone are of interest.
private enum JSONText: Decodable {
    case null, other
    case text(String)

    init(from decoder: any Decoder) throws {
        let box = try decoder.singleValueContainer()
        if box.decodeNil() { self = .null } else { self = (try? box.decode(String.self)).map { .text($0) } ?? .other }
    }
}

/// Why something cannot be mounted as it was asked for.
public struct InvalidInjection: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
