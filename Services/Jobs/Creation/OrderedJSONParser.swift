/// RFC 8259, strictly, with a bound on nesting. A repeated key counts once, with its last value, as clients' parsers have it.
struct OrderedJSONParser {
    struct Failure: Error {
        let message: String
    }

    static func parse(_ bytes: some Sequence<UInt8>) throws(Failure) -> OrderedJSON {
        var parser = OrderedJSONParser(bytes: Array(bytes))
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.position == parser.bytes.count else { throw parser.failure("Extra data") }
        return value
    }

    private static let maximumDepth = 64

    private let bytes: [UInt8]
    private var position = 0

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func failure(_ what: String) -> Failure { Failure(message: "\(what): char \(position)") }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(Failure) -> OrderedJSON {
        guard depth < Self.maximumDepth else { throw failure("Too deeply nested") }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func word(_ text: StaticString, _ value: OrderedJSON) throws(Failure) -> OrderedJSON {
        for byte in text.description.utf8 {
            guard next == byte else { throw failure("Expecting value") }
            position += 1
        }
        return value
    }

    private mutating func object(depth: Int) throws(Failure) -> OrderedJSON {
        position += 1
        var members: [OrderedJSON.Member] = []
        var places: [String: Int] = [:]
        skipSpace()
        if take("}") { return .object([]) }
        repeat {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw failure("Expecting property name enclosed in double quotes") }
            let key = try string()
            skipSpace()
            guard take(":") else { throw failure("Expecting ':' delimiter") }
            let value = try value(depth: depth + 1)
            if let place = places[key] {
                members[place].value = value
            } else {
                places[key] = members.count
                members.append(.init(key: key, value: value))
            }
            skipSpace()
        } while take(",")
        guard take("}") else { throw failure("Expecting ',' delimiter") }
        return .object(members)
    }

    private mutating func array(depth: Int) throws(Failure) -> OrderedJSON {
        position += 1
        var items: [OrderedJSON] = []
        skipSpace()
        if take("]") { return .array([]) }
        repeat {
            items.append(try value(depth: depth + 1))
            skipSpace()
        } while take(",")
        guard take("]") else { throw failure("Expecting ',' delimiter") }
        return .array(items)
    }

    private mutating func number() throws(Failure) -> OrderedJSON {
        let start = position
        var isInteger = true
        _ = take("-")
        guard let first = next, isDigit(first) else {
            position = start
            throw failure("Expecting value")
        }
        position += 1
        if first != UInt8(ascii: "0") { skipDigits() }
        if take(".") {
            isInteger = false
            guard let byte = next, isDigit(byte) else { throw failure("Expecting value") }
            skipDigits()
        }
        if take("e") || take("E") {
            isInteger = false
            if !take("+") { _ = take("-") }
            guard let byte = next, isDigit(byte) else { throw failure("Expecting value") }
            skipDigits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let value = Int64(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else { throw failure("Number out of range") }
        return .number(value)
    }

    private mutating func skipDigits() {
        while let byte = next, isDigit(byte) { position += 1 }
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    private mutating func string() throws(Failure) -> String {
        position += 1
        var text: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let result = String(validating: text, as: UTF8.self) else { throw failure("Invalid UTF-8") }
                return result
            case UInt8(ascii: "\\"):
                try escape(into: &text)
            case 0..<0x20:
                throw failure("Invalid control character")
            default:
                text.append(byte)
            }
        }
        throw failure("Unterminated string")
    }

    private mutating func escape(into text: inout [UInt8]) throws(Failure) {
        guard let byte = next else { throw failure("Unterminated string") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: String(try scalar()).utf8)
        default: throw failure("Invalid \\escape")
        }
    }

    private mutating func scalar() throws(Failure) -> Unicode.Scalar {
        let unit = try hexUnit()
        // The database cannot hold NUL in text.
        if unit == 0 { throw failure("NUL characters are not allowed") }
        if let scalar = Unicode.Scalar(unit) { return scalar }
        guard unit < 0xDC00, take("\\"), take("u") else { throw failure("Invalid \\uXXXX escape") }
        let low = try hexUnit()
        guard (0xDC00...0xDFFF).contains(low),
            let scalar = Unicode.Scalar(0x10000 + ((UInt32(unit) - 0xD800) << 10) + (UInt32(low) - 0xDC00))
        else { throw failure("Invalid \\uXXXX escape") }
        return scalar
    }

    private mutating func hexUnit() throws(Failure) -> UInt16 {
        guard position + 4 <= bytes.count else { throw failure("Invalid \\uXXXX escape") }
        var value: UInt16 = 0
        for byte in bytes[position..<position + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else { throw failure("Invalid \\uXXXX escape") }
            value = value << 4 | UInt16(digit)
        }
        position += 4
        return value
    }
}
