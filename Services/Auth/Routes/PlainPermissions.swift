import NIOCore
import PlatformModel

/// Reads the body of a permission check in the form in which clients write it: a list of objects with exactly `uri` and `action`, texts
/// without escapes. Nil for anything else, which the general decoder reads or refuses in its own words: this spares the platform's busiest
/// route the most of its computing, and decides nothing.
struct PlainPermissions {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    static func read(_ body: ByteBuffer) -> [Permission]? {
        body.withUnsafeReadableBytes { bytes in
            var reader = PlainPermissions(bytes: bytes)
            return reader.list()
        }
    }

    private init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    private mutating func list() -> [Permission]? {
        guard take("[") else { return nil }
        var permissions: [Permission] = []
        repeat {
            guard let permission = permission() else { return nil }
            permissions.append(permission)
        } while take(",")
        guard take("]"), next() == nil else { return nil }
        return permissions
    }

    private mutating func permission() -> Permission? {
        guard take("{"), let first = member(), take(","), let second = member(), take("}") else { return nil }
        switch (first.name, second.name) {
        case ("uri", "action"): return permission(first.value, second.value)
        case ("action", "uri"): return permission(second.value, first.value)
        default: return nil
        }
    }

    private func permission(_ uri: String, _ action: String) -> Permission? {
        guard let uri = try? ResourceURI(uri), let action = Action(rawValue: action) else { return nil }
        return Permission(uri, action)
    }

    private mutating func member() -> (name: String, value: String)? {
        guard let name = text(), take(":"), let value = text() else { return nil }
        return (name, value)
    }

    private mutating func text() -> String? {
        guard take("\"") else { return nil }
        let start = position
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
            guard bytes[position] >= 0x20, bytes[position] != UInt8(ascii: "\\") else { return nil }
            position += 1
        }
        guard position < bytes.count else { return nil }
        defer { position += 1 }
        return String(validating: bytes[start..<position], as: UTF8.self)
    }

    private mutating func take(_ wanted: Unicode.Scalar) -> Bool {
        guard next() == UInt8(ascii: wanted) else { return false }
        position += 1
        return true
    }

    /// The next byte that is no white space (RFC 8259 §2).
    private mutating func next() -> UInt8? {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return bytes[position]
            }
        }
        return nil
    }
}
