import NIOCore

/// One document and its line break.
enum NDJSONLine {
    static func encode(_ value: some Encodable) throws -> ByteBuffer {
        var buffer = ByteBuffer(bytes: try PlatformJSON.encoder().encode(value))
        buffer.writeInteger(UInt8(ascii: "\n"))
        return buffer
    }
}
