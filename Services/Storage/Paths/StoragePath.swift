import PlatformModel
import ServiceKit

/// A place in the storage as clients name it: absolute, without empty, `.` and `..` components. A file name is bytes to the kernel, so two
/// paths are the same only when their bytes are.
struct StoragePath: Sendable {
    let components: [String]

    /// The longest name and the longest path that Linux takes, in bytes.
    private static let longestName = 255
    private static let longestPath = 4095

    static let root = StoragePath(components: [])

    /// What follows the base in a URL: decoded once, then normalized.
    init(encoded text: some StringProtocol) throws {
        guard let decoded = PercentCoding.decode(text) else {
            throw PlatformError.badRequest("The path has a broken percent escape or is not UTF-8.")
        }
        try self.init("/" + decoded)
    }

    /// Normalizes a decoded path; a relative one is taken from `parent`.
    init(_ text: String, from parent: StoragePath = .root) throws {
        // By bytes: a combining character after a slash would hide it from a comparison of characters.
        let bytes = text.utf8
        guard !bytes.contains(0) else { throw PlatformError.badRequest("embedded null byte") }
        var components = bytes.first == UInt8(ascii: "/") ? [] : parent.components
        for part in bytes.split(separator: UInt8(ascii: "/")) {
            if part.elementsEqual(".".utf8) { continue }
            if part.elementsEqual("..".utf8) {
                _ = components.popLast()
                continue
            }
            guard part.count <= Self.longestName else { throw FileFailure.nameTooLong }
            components.append(String(decoding: part, as: UTF8.self))
        }
        guard components.reduce(0, { $0 + $1.utf8.count + 1 }) <= Self.longestPath else { throw FileFailure.nameTooLong }
        self.components = components
    }

    init(components: [String]) { self.components = components }

    /// `/` and the components.
    var text: String { "/" + components.joined(separator: "/") }

    var parent: StoragePath { StoragePath(components: Array(components.dropLast())) }

    /// What permissions on it are asked for. A name with control characters cannot be granted by itself, so what holds for the nearest place
    /// above it decides.
    func uri(cluster: String) -> (uri: ResourceURI, below: ArraySlice<String>) {
        let grantable = components.prefix { !$0.utf8.contains { $0 < 0x20 || $0 == 0x7F } }
        return (ResourceURI(.storage, [cluster] + grantable), components[grantable.endIndex...])
    }
}

extension StoragePath: Hashable {
    static func == (one: StoragePath, other: StoragePath) -> Bool {
        one.components.count == other.components.count
            && zip(one.components, other.components).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
    }

    func hash(into hasher: inout Hasher) {
        for component in components {
            // Never without such storage for a native string; if so, only slower.
            if component.utf8.withContiguousStorageIfAvailable({ hasher.combine(bytes: UnsafeRawBufferPointer($0)) }) == nil {
                for byte in component.utf8 { hasher.combine(byte) }
            }
            hasher.combine(UInt8(ascii: "/"))
        }
    }
}
