import Foundation
import Kubernetes

/// Reads JSON text (RFC 8259) into a ``JSONValue``.
///
/// Not by `Codable`: a type that may be anything is found there by throwing an error for everything that it is not, which costs a
/// millisecond a pod; and duplicate members, which a strict client wants to hear of, are invisible to it.
struct JSONParser {
    /// Why a text is no JSON.
    struct Failure: Error, CustomStringConvertible {
        let reason: String
        let offset: Int
        var description: String { "\(reason) at offset \(offset)" }
    }

    /// Deeper nesting is refused: no object of the API comes near it.
    private static let maximumDepth = 200

    private let bytes: UnsafeBufferPointer<UInt8>
    private var index = 0
    private(set) var duplicates: [String] = []

    /// - Throws: ``Failure``.
    static func parse(_ data: some Sequence<UInt8>) throws -> JSONValue { try read(data).value }

    /// The value and the paths of members that stand twice (the last one counts).
    /// - Throws: ``Failure``.
    static func read(_ data: some Sequence<UInt8>) throws -> (value: JSONValue, duplicates: [String]) {
        let result = try data.withContiguousStorageIfAvailable { try read($0) }
        if let result { return result }
        return try Array(data).withUnsafeBufferPointer { try read($0) }
    }

    private static func read(_ bytes: UnsafeBufferPointer<UInt8>) throws -> (value: JSONValue, duplicates: [String]) {
        var parser = JSONParser(bytes: bytes)
        let value = try parser.value(depth: 0, path: "")
        parser.skipSpace()
        guard parser.index == bytes.count else { throw parser.failure("unexpected text after the value") }
        return (value, parser.duplicates)
    }

    private init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    private func failure(_ reason: String) -> Failure { Failure(reason: reason, offset: index) }

    private mutating func skipSpace() {
        while index < bytes.count {
            switch bytes[index] {
            case 0x20, 0x09, 0x0A, 0x0D: index += 1
            default: return
            }
        }
    }

    private mutating func value(depth: Int, path: String) throws -> JSONValue {
        skipSpace()
        guard index < bytes.count else { throw failure("unexpected end of JSON input") }
        guard depth < Self.maximumDepth else { throw failure("nested too deeply") }
        switch bytes[index] {
        case UInt8(ascii: "{"): return try object(depth: depth, path: path)
        case UInt8(ascii: "["): return try array(depth: depth, path: path)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: return try number()
        }
    }

    private mutating func literal(_ text: StaticString, _ value: JSONValue) throws -> JSONValue {
        let count = text.utf8CodeUnitCount
        guard index + count <= bytes.count, (0..<count).allSatisfy({ bytes[index + $0] == text.utf8Start[$0] }) else {
            throw failure("invalid literal")
        }
        index += count
        return value
    }

    private mutating func object(depth: Int, path: String) throws -> JSONValue {
        index += 1
        var members: [String: JSONValue] = [:]
        skipSpace()
        if index < bytes.count, bytes[index] == UInt8(ascii: "}") {
            index += 1
            return .object(members)
        }
        while true {
            skipSpace()
            guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else { throw failure("expected a member's name") }
            let name = try string()
            skipSpace()
            guard index < bytes.count, bytes[index] == UInt8(ascii: ":") else { throw failure("expected a colon") }
            index += 1
            let place = path.isEmpty ? name : "\(path).\(name)"
            if members.updateValue(try value(depth: depth + 1, path: place), forKey: name) != nil { duplicates.append(place) }
            if try ends(with: UInt8(ascii: "}")) { return .object(members) }
        }
    }

    private mutating func array(depth: Int, path: String) throws -> JSONValue {
        index += 1
        var elements: [JSONValue] = []
        skipSpace()
        if index < bytes.count, bytes[index] == UInt8(ascii: "]") {
            index += 1
            return .array(elements)
        }
        while true {
            elements.append(try value(depth: depth + 1, path: "\(path)[\(elements.count)]"))
            if try ends(with: UInt8(ascii: "]")) { return .array(elements) }
        }
    }

    private mutating func ends(with close: UInt8) throws -> Bool {
        skipSpace()
        guard index < bytes.count else { throw failure("unexpected end of JSON input") }
        defer { index += 1 }
        if bytes[index] == close { return true }
        guard bytes[index] == UInt8(ascii: ",") else { throw failure("expected a comma") }
        return false
    }

    private mutating func number() throws -> JSONValue {
        let start = index
        var whole = true
        loop: while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): break
            case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+"): whole = false
            default: break loop
            }
            index += 1
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        if whole, let value = Int64(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else { throw failure("invalid value") }
        return .number(value)
    }

    private mutating func string() throws -> String {
        index += 1
        let start = index
        while index < bytes.count, bytes[index] != UInt8(ascii: "\""), bytes[index] != UInt8(ascii: "\\") {
            guard bytes[index] >= 0x20 else { throw failure("a control character in a string") }
            index += 1
        }
        guard index < bytes.count else { throw failure("unexpected end of JSON input") }
        if bytes[index] == UInt8(ascii: "\"") {
            defer { index += 1 }
            return String(decoding: bytes[start..<index], as: UTF8.self)
        }
        var text = Array(bytes[start..<index])
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &text)
            case ..<0x20: throw failure("a control character in a string")
            default: text.append(byte)
            }
        }
        throw failure("unexpected end of JSON input")
    }

    private mutating func escape(into text: inout [UInt8]) throws {
        guard index < bytes.count else { throw failure("unexpected end of JSON input") }
        let byte = bytes[index]
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if (0xD800..<0xDC00).contains(code), index + 1 < bytes.count, bytes[index] == UInt8(ascii: "\\"),
                bytes[index + 1] == UInt8(ascii: "u")
            {
                index += 2
                let low = try hexadecimal()
                code = (0xDC00..<0xE000).contains(low) ? 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00) : 0xFFFD
            }
            let scalar = Unicode.Scalar(code) ?? "\u{FFFD}"
            text.append(contentsOf: Character(scalar).utf8)
        default: throw failure("invalid escape")
        }
    }

    private mutating func hexadecimal() throws -> UInt32 {
        guard index + 4 <= bytes.count else { throw failure("unexpected end of JSON input") }
        var code: UInt32 = 0
        for byte in bytes[index..<index + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw failure("invalid escape") }
            code = code << 4 + UInt32(digit)
        }
        index += 4
        return code
    }
}
