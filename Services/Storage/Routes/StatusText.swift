import NIOCore

/// A file status as clients read it (storage.md 8), written without a detour: listings consist of thousands of them.
enum StatusText {
    /// More than a status takes beside its path and what it stands between: numbers have at most 20 characters, the other words 15 together.
    private static let room = 192

    /// - Parameters:
    ///   - path: bytes that need not be text.
    ///   - permission: one of the platform's actions.
    ///   - between: what goes before and after.
    static func write(
        _ status: FileStatus, path: UnsafeBufferPointer<UInt8>, permission: String, between: (StaticString, StaticString) = ("", ""),
        to buffer: inout ByteBuffer
    ) {
        guard JSONText.isPlain(path) else {
            var escaped = ByteBuffer()
            JSONText.write(path, to: &escaped)
            // Without the quotes.
            return escaped.withUnsafeReadableBytes {
                write(status, escaped: $0.bindMemory(to: UInt8.self).dropFirst().dropLast(), permission, between, to: &buffer)
            }
        }
        write(status, escaped: path[...], permission, between, to: &buffer)
    }

    private static func write(
        _ status: FileStatus, escaped path: Slice<UnsafeBufferPointer<UInt8>>, _ permission: String,
        _ between: (StaticString, StaticString),
        to buffer: inout ByteBuffer
    ) {
        let most = path.count + between.0.utf8CodeUnitCount + between.1.utf8CodeUnitCount + room
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: most) { memory in
            var line = TextCursor(memory)
            line.append(between.0)
            line.append("{\"path\": \"")
            line.append(path)
            line.append("\", \"length\": ")
            line.append(status.length)
            line.append(", \"modificationTime\": ")
            line.append(status.modified)
            line.append(", \"permission\": \"")
            line.append(text: permission)
            line.append("\", \"type\": \"")
            line.append(text: status.kind.name)
            line.append("\"}")
            line.append(between.1)
            return line.count
        }
    }
}

/// Text that is written into memory, one thing after the other.
private struct TextCursor {
    private let memory: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(_ memory: UnsafeMutableRawBufferPointer) { self.memory = memory }

    mutating func append(_ text: StaticString) {
        append(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)[...])
    }

    mutating func append(text: String) {
        var text = text
        text.withUTF8 { append($0[...]) }
    }

    mutating func append(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) {
        UnsafeMutableRawBufferPointer(rebasing: memory[count...]).copyMemory(
            from: UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes)))
        count += bytes.count
    }

    mutating func append(_ number: Int64) {
        if number < 0 {
            memory[count] = UInt8(ascii: "-")
            count += 1
        }
        let first = count
        var rest = number.magnitude
        repeat {
            memory[count] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            count += 1
            rest /= 10
        } while rest > 0
        memory[first..<count].reverse()
    }
}

/// JSON strings of names that need not be text.
enum JSONText {
    /// A byte that is part of no UTF-8 is written as `\udcNN`, so that two such names stay two.
    static func write(_ bytes: some Collection<UInt8>, to buffer: inout ByteBuffer) {
        buffer.writeInteger(UInt8(ascii: "\""))
        if isPlain(bytes) {
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

    /// Whether it is written as it is, as nearly every name is.
    static func isPlain(_ bytes: some Collection<UInt8>) -> Bool {
        bytes.allSatisfy { 0x20..<0x7F ~= $0 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
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
