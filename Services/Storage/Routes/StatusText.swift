import NIOCore

/// A file status as clients read it (storage.md 8), written without a detour: listings consist of thousands of them.
enum StatusText {
    static func write(_ status: FileStatus, path: some Collection<UInt8>, permission: String, to buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"path\": ")
        JSONText.write(path, to: &buffer)
        buffer.writeStaticString(", \"length\": ")
        buffer.writeString(String(status.length))
        buffer.writeStaticString(", \"modificationTime\": ")
        buffer.writeString(String(status.modified))
        buffer.writeStaticString(", \"permission\": \"")
        buffer.writeString(permission)
        buffer.writeStaticString("\", \"type\": \"")
        buffer.writeString(status.kind.name)
        buffer.writeStaticString("\"}")
    }
}

/// JSON strings of names that need not be text.
enum JSONText {
    /// A byte that is part of no UTF-8 is written as `\udcNN`, so that two such names stay two.
    static func write(_ bytes: some Collection<UInt8>, to buffer: inout ByteBuffer) {
        buffer.writeInteger(UInt8(ascii: "\""))
        // As nearly every name is.
        if bytes.allSatisfy({ 0x20..<0x7F ~= $0 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
            buffer.writeBytes(bytes)
            buffer.writeInteger(UInt8(ascii: "\""))
            return
        }
        var index = bytes.startIndex
        while index != bytes.endIndex {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                buffer.writeInteger(UInt8(ascii: "\\"))
                buffer.writeInteger(byte)
            case 0x20..<0x7F:
                buffer.writeInteger(byte)
            case 0..<0x80:
                escape(UInt32(byte), to: &buffer)
            default:
                let end = sequenceEnd(bytes, from: index)
                guard let end else {
                    escape(0xDC00 + UInt32(byte), to: &buffer)
                    break
                }
                buffer.writeBytes(bytes[index..<end])
                index = end
                continue
            }
            index = bytes.index(after: index)
        }
        buffer.writeInteger(UInt8(ascii: "\""))
    }

    private static func escape(_ unit: UInt32, to buffer: inout ByteBuffer) {
        let digits = String(unit, radix: 16)
        buffer.writeString("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
    }

    /// The end of the character that begins here; nil when none does (Unicode, table 3-7).
    private static func sequenceEnd<Bytes: Collection<UInt8>>(_ bytes: Bytes, from start: Bytes.Index) -> Bytes.Index? {
        let second: ClosedRange<UInt8>
        let more: Int
        switch bytes[start] {
        case 0xC2...0xDF: (second, more) = (0x80...0xBF, 0)
        case 0xE0: (second, more) = (0xA0...0xBF, 1)
        case 0xED: (second, more) = (0x80...0x9F, 1)
        case 0xE1...0xEF: (second, more) = (0x80...0xBF, 1)
        case 0xF0: (second, more) = (0x90...0xBF, 2)
        case 0xF4: (second, more) = (0x80...0x8F, 2)
        case 0xF1...0xF3: (second, more) = (0x80...0xBF, 2)
        default: return nil
        }
        var index = bytes.index(after: start)
        guard index != bytes.endIndex, second.contains(bytes[index]) else { return nil }
        index = bytes.index(after: index)
        for _ in 0..<more {
            guard index != bytes.endIndex, (0x80...0xBF).contains(bytes[index]) else { return nil }
            index = bytes.index(after: index)
        }
        return index
    }
}
