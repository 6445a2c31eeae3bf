import NIOCore

/// The part of CBOR (RFC 8949) that the protocol speaks. What is not needed is carried along, so that an `id` of any kind comes back as it was.
enum CBOR: Sendable, Equatable {
    case unsigned(UInt64)
    /// −1 − n
    case negative(UInt64)
    case bytes([UInt8])
    case text(String)
    case array([CBOR])
    case map([Pair])
    indirect case tagged(UInt64, CBOR)
    /// false, true, null and other simple values.
    case simple(UInt8)
    /// A floating-point number as it came: 2, 4 or 8 bytes.
    case float([UInt8])

    struct Pair: Sendable, Equatable {
        let key: CBOR
        let value: CBOR
    }

    static func object(_ pairs: [(String, CBOR)]) -> CBOR { .map(pairs.map { Pair(key: .text($0.0), value: $0.1) }) }

    static func integer(_ number: Int64) -> CBOR { number < 0 ? .negative(UInt64(-1 - number)) : .unsigned(UInt64(number)) }

    /// The value of a key of a map; nil when there is none. The last of several counts.
    subscript(_ key: String) -> CBOR? {
        guard case .map(let pairs) = self else { return nil }
        return pairs.last { $0.key == .text(key) }?.value
    }

    var text: String? { if case .text(let text) = self { text } else { nil } }

    /// nil for what is no integer, and for what a file has no place for.
    var integer: Int64? {
        switch self {
        case .unsigned(let number): Int64(exactly: number)
        case .negative(let number): Int64(exactly: number).map { -1 - $0 }
        default: nil
        }
    }

    // MARK: Writing

    /// Definite lengths, integers as short as they go.
    func write(to buffer: inout ByteBuffer) {
        switch self {
        case .unsigned(let number): Self.head(0, number, to: &buffer)
        case .negative(let number): Self.head(1, number, to: &buffer)
        case .bytes(let bytes):
            Self.head(2, UInt64(bytes.count), to: &buffer)
            buffer.writeBytes(bytes)
        case .text(let text):
            Self.head(3, UInt64(text.utf8.count), to: &buffer)
            buffer.writeString(text)
        case .array(let items):
            Self.head(4, UInt64(items.count), to: &buffer)
            for item in items { item.write(to: &buffer) }
        case .map(let pairs):
            Self.head(5, UInt64(pairs.count), to: &buffer)
            for pair in pairs {
                pair.key.write(to: &buffer)
                pair.value.write(to: &buffer)
            }
        case .tagged(let tag, let value):
            Self.head(6, tag, to: &buffer)
            value.write(to: &buffer)
        case .simple(let value): Self.head(7, UInt64(value), to: &buffer)
        case .float(let bytes):
            buffer.writeInteger(UInt8(7 << 5 | (bytes.count == 2 ? 25 : bytes.count == 4 ? 26 : 27)))
            buffer.writeBytes(bytes)
        }
    }

    private static func head(_ kind: UInt8, _ number: UInt64, to buffer: inout ByteBuffer) {
        let kind = kind << 5
        switch number {
        case 0..<24: buffer.writeInteger(kind | UInt8(number))
        case 24...0xFF: buffer.writeMultipleIntegers(kind | 24, UInt8(number))
        case 0x100...0xFFFF: buffer.writeMultipleIntegers(kind | 25, UInt16(number))
        case 0x1_0000...0xFFFF_FFFF: buffer.writeMultipleIntegers(kind | 26, UInt32(number))
        default: buffer.writeMultipleIntegers(kind | 27, number)
        }
    }
}
