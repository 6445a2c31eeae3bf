import NIOCore

/// Reads one CBOR value from bytes of anybody's making: nothing is believed about lengths, and nesting is bounded.
struct CBORReader {
    struct Malformed: Error {
        let text: String
    }

    private static let deepest = 16
    private var buffer: ByteBuffer

    /// The value that the bytes begin with.
    static func value(of buffer: ByteBuffer) throws(Malformed) -> CBOR {
        var reader = CBORReader(buffer: buffer)
        return try reader.value(0)
    }

    private init(buffer: ByteBuffer) { self.buffer = buffer }

    private mutating func value(_ depth: Int) throws(Malformed) -> CBOR {
        guard depth < Self.deepest else { throw Malformed(text: "the header is nested too deeply") }
        let first: UInt8 = try integer()
        let (kind, low) = (first >> 5, first & 31)
        if low == 31 { return try indefinite(kind, depth) }
        if kind == 7, (25...27).contains(low) { return .float(try take(low == 25 ? 2 : low == 26 ? 4 : 8)) }
        let number = try argument(low)
        switch kind {
        case 0: return .unsigned(number)
        case 1: return .negative(number)
        case 2: return .bytes(try take(number))
        case 3: return .text(try text(take(number)))
        case 4: return .array(try items(number, depth))
        case 5:
            var flat = try items(number.multipliedReportingOverflow(by: 2), depth)[...]
            var pairs: [CBOR.Pair] = []
            while let key = flat.popFirst(), let value = flat.popFirst() { pairs.append(.init(key: key, value: value)) }
            return .map(pairs)
        case 6: return .tagged(number, try value(depth + 1))
        default:
            guard let simple = UInt8(exactly: number) else { throw Malformed(text: "an unknown simple value") }
            return .simple(simple)
        }
    }

    private mutating func items(_ count: (partialValue: UInt64, overflow: Bool), _ depth: Int) throws(Malformed) -> [CBOR] {
        guard !count.overflow else { throw Self.short }
        return try items(count.partialValue, depth)
    }

    /// Each item takes a byte at least, so a count beyond the bytes is not believed.
    private mutating func items(_ count: UInt64, _ depth: Int) throws(Malformed) -> [CBOR] {
        guard count <= UInt64(buffer.readableBytes) else { throw Self.short }
        var items: [CBOR] = []
        for _ in 0..<count { items.append(try value(depth + 1)) }
        return items
    }

    private mutating func indefinite(_ kind: UInt8, _ depth: Int) throws(Malformed) -> CBOR {
        var items: [CBOR] = []
        while true {
            guard let next = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self) else { throw Self.short }
            if next == 0xFF { break }
            items.append(try value(depth + 1))
        }
        buffer.moveReaderIndex(forwardBy: 1)
        switch kind {
        case 2:
            return .bytes(items.flatMap { if case .bytes(let bytes) = $0 { bytes } else { [UInt8]() } })
        case 3: return .text(items.compactMap(\.text).joined())
        case 4: return .array(items)
        case 5 where items.count.isMultiple(of: 2):
            return .map(stride(from: 0, to: items.count, by: 2).map { .init(key: items[$0], value: items[$0 + 1]) })
        default: throw Malformed(text: "a value without an end")
        }
    }

    private mutating func argument(_ low: UInt8) throws(Malformed) -> UInt64 {
        switch low {
        case 0..<24: UInt64(low)
        case 24: UInt64(try integer() as UInt8)
        case 25: UInt64(try integer() as UInt16)
        case 26: UInt64(try integer() as UInt32)
        case 27: try integer()
        default: throw Malformed(text: "an unknown length")
        }
    }

    private mutating func integer<T: FixedWidthInteger>() throws(Malformed) -> T {
        guard let number = buffer.readInteger(as: T.self) else { throw Self.short }
        return number
    }

    private mutating func take(_ count: UInt64) throws(Malformed) -> [UInt8] {
        guard count <= UInt64(buffer.readableBytes), let bytes = buffer.readBytes(length: Int(count)) else { throw Self.short }
        return bytes
    }

    private func text(_ bytes: [UInt8]) throws(Malformed) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Malformed(text: "a text is not UTF-8") }
        return text
    }

    private static var short: Malformed { Malformed(text: "the header ends too early") }
}
