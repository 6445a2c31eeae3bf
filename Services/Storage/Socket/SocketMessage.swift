import NIOCore

/// A message of the protocol (storage.md 11.2): the length of its header and of the length itself, the header, and data.
struct SocketMessage {
    var header: CBOR
    var data: ByteBuffer

    /// The largest part of a file that one message carries, and room for a header.
    static let largestData = 16 << 20
    static let largest = largestData + 65_536 + 100

    init(_ header: CBOR, data: ByteBuffer = ByteBuffer()) {
        self.header = header
        self.data = data
    }

    /// - Throws: what is wrong with the header.
    init(_ bytes: ByteBuffer) throws(CBORReader.Malformed) {
        var bytes = bytes
        let whole = bytes.readableBytes
        guard let length = bytes.readInteger(as: UInt32.self), length >= 5, Int(length) <= whole,
            let head = bytes.readSlice(length: Int(length) - 4)
        else { throw .init(text: "the length of the header does not fit the message") }
        header = try CBORReader.value(of: head)
        data = bytes
    }

    var bytes: ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(data.readableBytes + 256)
        buffer.writeInteger(UInt32(0))
        header.write(to: &buffer)
        buffer.setInteger(UInt32(buffer.readableBytes), at: 0)
        buffer.writeImmutableBuffer(data)
        return buffer
    }
}
