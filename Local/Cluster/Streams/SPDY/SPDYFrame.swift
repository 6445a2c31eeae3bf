import NIOCore

/// A frame of SPDY/3.1 (draft-mbelshe-httpbis-spdy-00 §2.2 and §2.6), or a piece of a data frame.
enum SPDYFrame: Equatable {
    case open(stream: UInt32, headers: SPDYHeaders, isLast: Bool, isOneWay: Bool)
    case reply(stream: UInt32, headers: SPDYHeaders, isLast: Bool)
    case reset(stream: UInt32, status: ResetStatus)
    /// Values by number.
    case settings([UInt32: UInt32])
    case ping(UInt32)
    case goAway(last: UInt32, status: UInt32)
    case headers(stream: UInt32, headers: SPDYHeaders, isLast: Bool)
    /// `stream` 0 is the whole connection.
    case window(stream: UInt32, more: UInt32)
    case data(stream: UInt32, bytes: ByteBuffer, isLast: Bool)
    /// A kind that this end does not know; to be ignored.
    case unknown(UInt16)

    struct ResetStatus: RawRepresentable, Hashable, Sendable {
        let rawValue: UInt32
        static let protocolError = ResetStatus(rawValue: 1)
        static let invalidStream = ResetStatus(rawValue: 2)
        static let refusedStream = ResetStatus(rawValue: 3)
        static let cancel = ResetStatus(rawValue: 5)
        static let internalError = ResetStatus(rawValue: 6)
        static let flowControlError = ResetStatus(rawValue: 7)
    }

    /// The setting for how much may be sent on a new stream before its reader asks for more.
    static let initialWindowSetting: UInt32 = 7
    static let initialWindow = 64 << 10

    fileprivate enum Kind {
        static let open: UInt16 = 1
        static let reply: UInt16 = 2
        static let reset: UInt16 = 3
        static let settings: UInt16 = 4
        static let ping: UInt16 = 6
        static let goAway: UInt16 = 7
        static let headers: UInt16 = 8
        static let window: UInt16 = 9
    }
}

/// Makes frames of bytes. Belongs to one task.
struct SPDYDecoder {
    /// A control frame may be no longer.
    static let controlLimit = 64 << 10

    private var bytes = ByteBuffer()
    private let unpacker: SPDYHeaderUnpacker
    /// The data frame that is under way.
    private var data: (stream: UInt32, rest: Int, isLast: Bool)?

    init() throws(SPDYError) { unpacker = try SPDYHeaderUnpacker() }

    mutating func append(_ more: ByteBuffer) {
        bytes.discardReadBytes()
        bytes.writeImmutableBuffer(more)
    }

    /// The next frame, or the next piece of a data frame; nil until more bytes have come.
    mutating func next() throws(SPDYError) -> SPDYFrame? {
        if data != nil { return piece() }
        guard let first = bytes.getInteger(at: bytes.readerIndex, as: UInt32.self),
            let second = bytes.getInteger(at: bytes.readerIndex + 4, as: UInt32.self)
        else { return nil }
        let flags = UInt8(second >> 24)
        let length = Int(second & 0xFF_FFFF)
        guard first & 0x8000_0000 != 0 else {
            guard first != 0 else { throw SPDYError("data on stream 0") }
            bytes.moveReaderIndex(forwardBy: 8)
            data = (first, length, flags & 1 != 0)
            return piece()
        }
        guard first >> 16 & 0x7FFF == 3 else { throw SPDYError("a frame of SPDY version \(first >> 16 & 0x7FFF)") }
        guard length <= Self.controlLimit else { throw SPDYError("a control frame of \(length) bytes") }
        guard bytes.readableBytes >= 8 + length else { return nil }
        bytes.moveReaderIndex(forwardBy: 8)
        guard var body = bytes.readSlice(length: length) else { return nil }
        return try control(UInt16(truncatingIfNeeded: first), flags, &body)
    }

    private mutating func piece() -> SPDYFrame? {
        guard let (stream, rest, isLast) = data, rest == 0 || bytes.readableBytes > 0 else { return nil }
        let count = min(rest, bytes.readableBytes)
        guard let piece = bytes.readSlice(length: count) else { return nil }
        data = count == rest ? nil : (stream, rest - count, isLast)
        return .data(stream: stream, bytes: piece, isLast: isLast && count == rest)
    }

    private func control(_ kind: UInt16, _ flags: UInt8, _ body: inout ByteBuffer) throws(SPDYError) -> SPDYFrame {
        func number() throws(SPDYError) -> UInt32 {
            guard let value = body.readInteger(as: UInt32.self) else { throw SPDYError("a control frame that is too short") }
            return value
        }
        func stream() throws(SPDYError) -> UInt32 { try number() & 0x7FFF_FFFF }
        let isLast = flags & 1 != 0
        switch kind {
        case SPDYFrame.Kind.open:
            let id = try stream()
            _ = try number()
            // Priority and slot mean nothing here.
            guard body.readInteger(as: UInt16.self) != nil else { throw SPDYError("a control frame that is too short") }
            return .open(stream: id, headers: try unpacker.unpack(body), isLast: isLast, isOneWay: flags & 2 != 0)
        case SPDYFrame.Kind.reply: return .reply(stream: try stream(), headers: try unpacker.unpack(body), isLast: isLast)
        case SPDYFrame.Kind.headers: return .headers(stream: try stream(), headers: try unpacker.unpack(body), isLast: isLast)
        case SPDYFrame.Kind.reset: return .reset(stream: try stream(), status: .init(rawValue: try number()))
        case SPDYFrame.Kind.settings:
            var values: [UInt32: UInt32] = [:]
            for _ in 0..<(try number()) {
                let id = try number() & 0xFF_FFFF
                values[id] = try number()
            }
            return .settings(values)
        case SPDYFrame.Kind.ping: return .ping(try number())
        case SPDYFrame.Kind.goAway: return .goAway(last: try stream(), status: try number())
        case SPDYFrame.Kind.window: return .window(stream: try stream(), more: try number() & 0x7FFF_FFFF)
        default: return .unknown(kind)
        }
    }
}

/// Makes bytes of frames. Frames with headers have to be sent in the order in which they were encoded.
struct SPDYEncoder {
    private let packer: SPDYHeaderPacker

    init() throws(SPDYError) { packer = try SPDYHeaderPacker() }

    func encode(_ frame: SPDYFrame) throws(SPDYError) -> ByteBuffer {
        switch frame {
        case .open(let stream, let headers, let isLast, let isOneWay):
            var body = ByteBuffer(integer: stream)
            body.writeInteger(UInt32(0))
            body.writeInteger(UInt16(0))
            body.writeImmutableBuffer(try packer.pack(headers))
            return Self.control(SPDYFrame.Kind.open, (isLast ? 1 : 0) | (isOneWay ? 2 : 0), body)
        case .reply(let stream, let headers, let isLast):
            return Self.control(SPDYFrame.Kind.reply, isLast ? 1 : 0, try block(stream, headers))
        case .headers(let stream, let headers, let isLast):
            return Self.control(SPDYFrame.Kind.headers, isLast ? 1 : 0, try block(stream, headers))
        default: return Self.encodeBare(frame)
        }
    }

    private func block(_ stream: UInt32, _ headers: SPDYHeaders) throws(SPDYError) -> ByteBuffer {
        var body = ByteBuffer(integer: stream)
        body.writeImmutableBuffer(try packer.pack(headers))
        return body
    }

    /// A frame without headers, which any task may encode; nothing for the others.
    static func encodeBare(_ frame: SPDYFrame) -> ByteBuffer {
        switch frame {
        case .reset(let stream, let status): return control(SPDYFrame.Kind.reset, 0, numbers(stream, status.rawValue))
        case .settings(let values):
            var body = ByteBuffer(integer: UInt32(values.count))
            for (id, value) in values.sorted(by: { $0.key < $1.key }) { body.writeImmutableBuffer(numbers(id, value)) }
            return control(SPDYFrame.Kind.settings, 0, body)
        case .ping(let id): return control(SPDYFrame.Kind.ping, 0, numbers(id))
        case .goAway(let last, let status): return control(SPDYFrame.Kind.goAway, 0, numbers(last, status))
        case .window(let stream, let more): return control(SPDYFrame.Kind.window, 0, numbers(stream, more))
        case .data(let stream, let bytes, let isLast):
            var frame = ByteBuffer()
            frame.reserveCapacity(8 + bytes.readableBytes)
            frame.writeInteger(stream)
            frame.writeInteger((isLast ? 1 << 24 : 0) | UInt32(bytes.readableBytes))
            frame.writeImmutableBuffer(bytes)
            return frame
        case .open, .reply, .headers, .unknown: return ByteBuffer()
        }
    }

    private static func numbers(_ values: UInt32...) -> ByteBuffer {
        var body = ByteBuffer()
        for value in values { body.writeInteger(value) }
        return body
    }

    private static func control(_ kind: UInt16, _ flags: UInt8, _ body: ByteBuffer) -> ByteBuffer {
        var frame = ByteBuffer()
        frame.reserveCapacity(8 + body.readableBytes)
        frame.writeInteger(0x8000_0000 | 3 << 16 | UInt32(kind))
        frame.writeInteger(UInt32(flags) << 24 | UInt32(body.readableBytes))
        frame.writeImmutableBuffer(body)
        return frame
    }
}
