import CHiredis
import NIOCore

/// Replies out of the bytes of the wire, read by hiredis. One a connection, used on its event loop alone.
final class ReplyReader {
    private let reader: UnsafeMutablePointer<redisReader>

    init?() {
        guard let reader = redisReaderCreate() else { return nil }
        self.reader = reader
    }

    deinit {
        redisReaderFree(reader)
    }

    func feed(_ buffer: ByteBuffer) throws {
        let result = buffer.withUnsafeReadableBytes { bytes in
            redisReaderFeed(reader, bytes.bindMemory(to: CChar.self).baseAddress, bytes.count)
        }
        guard result == REDIS_OK else { throw protocolError() }
    }

    /// The next whole reply, nil when more bytes are needed.
    func next() throws -> RedisValue? {
        var object: UnsafeMutableRawPointer?
        guard redisReaderGetReply(reader, &object) == REDIS_OK else { throw protocolError() }
        guard let object else { return nil }
        defer { freeReplyObject(object) }
        return Self.value(of: object.assumingMemoryBound(to: redisReply.self).pointee)
    }

    private static func value(of reply: redisReply) -> RedisValue {
        switch reply.type {
        case REDIS_REPLY_STRING: return .string(Array(bytes(of: reply)))
        case REDIS_REPLY_STATUS: return .status(String(decoding: bytes(of: reply), as: UTF8.self))
        case REDIS_REPLY_ERROR: return .error(String(decoding: bytes(of: reply), as: UTF8.self))
        case REDIS_REPLY_INTEGER: return .integer(reply.integer)
        case REDIS_REPLY_ARRAY:
            let elements = UnsafeBufferPointer(start: reply.element, count: reply.elements)
            return .array(elements.map { element in element.map { value(of: $0.pointee) } ?? .null })
        default: return .null
        }
    }

    private static func bytes(of reply: redisReply) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: reply.str, count: reply.len)
    }

    private func protocolError() -> RedisError {
        let text = withUnsafeBytes(of: reader.pointee.errstr) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return .unavailable("the answer was not understood: \(text)", mayHaveRun: true)
    }
}
