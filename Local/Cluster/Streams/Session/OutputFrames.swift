import NIOCore

/// Takes podman's frames apart: one byte for the stream, three without meaning, four of length, then the bytes. Without a terminal stdout
/// and stderr come in one connection this way. Pure.
struct OutputFrames {
    enum Stream: UInt8 {
        case stdin = 0
        case stdout = 1
        case stderr = 2
    }

    private var bytes = ByteBuffer()
    private var current: (stream: Stream, rest: Int)?

    mutating func append(_ more: ByteBuffer) {
        bytes.discardReadBytes()
        bytes.writeImmutableBuffer(more)
    }

    /// The next piece; nil until more has come. A frame may come in several pieces.
    /// - Throws: ``EngineError`` when it is no frame.
    mutating func next() throws(EngineError) -> (stream: Stream, bytes: ByteBuffer)? {
        while true {
            if let (stream, rest) = current {
                let count = min(rest, bytes.readableBytes)
                guard count > 0, let piece = bytes.readSlice(length: count) else { return nil }
                current = count == rest ? nil : (stream, rest - count)
                return (stream, piece)
            }
            guard bytes.readableBytes >= 8, let head = bytes.readInteger(as: UInt32.self), let length = bytes.readInteger(as: UInt32.self)
            else { return nil }
            guard let stream = Stream(rawValue: UInt8(head >> 24)), head & 0xFF_FFFF == 0 else {
                throw EngineError("podman's stream has lost its frames")
            }
            if length > 0 { current = (stream, Int(length)) }
        }
    }
}
