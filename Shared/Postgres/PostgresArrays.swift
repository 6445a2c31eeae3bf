import Foundation

/// The text form of one-dimensional arrays (PostgreSQL manual, 8.15.6).
enum PostgresArrays {
    static func format(_ elements: [String]) -> String {
        "{" + elements.map { "\"" + $0.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\"" }.joined(separator: ",") + "}"
    }

    /// The elements, nil for NULL; nil when the text is no one-dimensional array.
    static func parse(_ text: String) -> [String?]? {
        guard text.hasPrefix("{"), text.hasSuffix("}") else { return nil }
        var elements: [String?] = []
        var current: [UInt8] = []
        var isQuoted = false
        var wasQuoted = false
        var isEscaped = false
        func end() {
            let element = String(decoding: current, as: UTF8.self)
            elements.append(!wasQuoted && element.uppercased() == "NULL" ? nil : element)
            current = []
            wasQuoted = false
        }
        let body = text.utf8.dropFirst().dropLast()
        if body.isEmpty { return [] }
        for byte in body {
            switch byte {
            case _ where isEscaped:
                current.append(byte)
                isEscaped = false
            case UInt8(ascii: "\\"): isEscaped = true
            case UInt8(ascii: "\""):
                isQuoted.toggle()
                wasQuoted = true
            case UInt8(ascii: ",") where !isQuoted: end()
            case UInt8(ascii: "{") where !isQuoted: return nil
            default: current.append(byte)
            }
        }
        end()
        return elements
    }
}

extension PostgresArrayElement where Self: PostgresEncodable & PostgresDecodable {
    public static func parameter(of array: [Self]) -> PostgresParameter {
        var texts: [String] = []
        for element in array {
            switch element.postgresParameter.value {
            case .text(let text): texts.append(text)
            case .null: return .invalid("an array holds a null")
            case .invalid(let reason): return .invalid(reason)
            }
        }
        return .text(PostgresArrays.format(texts))
    }

    public static func array(from cell: PostgresCell) throws -> [Self] {
        let elements = try cell.parse("array") { PostgresArrays.parse($0) }
        return try elements.map { try Self(postgres: PostgresCell(column: cell.column, type: cell.type, text: $0)) }
    }
}

extension String: PostgresArrayElement {}
extension Int: PostgresArrayElement {}
extension Int64: PostgresArrayElement {}
extension Int32: PostgresArrayElement {}
extension Double: PostgresArrayElement {}
extension Bool: PostgresArrayElement {}
extension UUID: PostgresArrayElement {}
extension Date: PostgresArrayElement {}

extension UInt8: PostgresArrayElement {
    public static func parameter(of array: [UInt8]) -> PostgresParameter {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = Array("\\x".utf8)
        text.reserveCapacity(2 + array.count * 2)
        for byte in array {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return .text(String(decoding: text, as: UTF8.self))
    }

    public static func array(from cell: PostgresCell) throws -> [UInt8] {
        try cell.parse("bytea") { text in
            guard text.hasPrefix("\\x"), text.utf8.count.isMultiple(of: 2) else { return nil }
            var bytes: [UInt8] = []
            bytes.reserveCapacity(text.utf8.count / 2)
            var high: UInt8?
            for character in text.utf8.dropFirst(2) {
                guard let digit = Character(UnicodeScalar(character)).hexDigitValue else { return nil }
                if let first = high {
                    bytes.append(first << 4 | UInt8(digit))
                    high = nil
                } else {
                    high = UInt8(digit)
                }
            }
            return bytes
        }
    }
}
