import NIOCore

/// The serving end of a SPDY/3.1 connection: takes frames from bytes, keeps the streams that the client opened, answers pings. What a
/// stream is for is its holder's affair. Belongs to one task, except for the streams.
struct SPDYServer {
    /// More streams at one time are refused.
    static let streamLimit = 512

    enum Event {
        /// The client opened a stream: to be accepted or refused.
        case opened(SPDYStream)
        /// The client gave it up.
        case closed(SPDYStream)
    }

    private let send: @Sendable (ByteBuffer) async throws -> Void
    private let windows = SPDYWindows()
    private let encoder: SPDYEncoder
    private var decoder: SPDYDecoder
    private var streams: [UInt32: SPDYStream] = [:]
    private var lastStream: UInt32 = 0
    /// Read and not yet granted again, on the whole connection.
    private var unacknowledged = 0

    init(send: @escaping @Sendable (ByteBuffer) async throws -> Void) throws(SPDYError) {
        self.send = send
        encoder = try SPDYEncoder()
        decoder = try SPDYDecoder()
    }

    /// Takes bytes of the client; ``next()`` tells what they mean.
    mutating func append(_ bytes: ByteBuffer) { decoder.append(bytes) }

    /// What happened next; nil until more bytes have come.
    /// - Throws: ``SPDYError`` when they are no SPDY/3.1, after which the connection is over; errors of sending.
    mutating func next() async throws -> Event? {
        while let frame = try decoder.next() {
            switch frame {
            case .open(let id, let headers, let isLast, _):
                if let stream = try await open(id, headers, isLast: isLast) { return .opened(stream) }
            case .data(let id, let bytes, let isLast): try await data(id, bytes, isLast: isLast)
            case .headers(let id, _, let isLast): if isLast { streams[id]?.input.finish() }
            case .reset(let id, _):
                if let stream = streams[id] {
                    remove(stream)
                    return .closed(stream)
                }
            case .settings(let values):
                if let window = values[SPDYFrame.initialWindowSetting] { windows.setInitial(Int(window & 0x7FFF_FFFF)) }
            case .window(let id, let more): windows.widen(id, by: Int(more))
            // An even number is the answer to a ping of ours, of which there are none.
            case .ping(let id): if id % 2 == 1 { try await send(SPDYEncoder.encodeBare(.ping(id))) }
            // The client opens no more streams; those that stand go on until it closes the connection.
            case .goAway, .reply, .unknown: break
            }
        }
        return nil
    }

    private mutating func open(_ id: UInt32, _ headers: SPDYHeaders, isLast: Bool) async throws -> SPDYStream? {
        guard id % 2 == 1, id > lastStream else {
            try await send(SPDYEncoder.encodeBare(.reset(stream: id, status: .protocolError)))
            return nil
        }
        lastStream = id
        for (id, stream) in streams where stream.isOver { streams[id] = nil }
        guard streams.count < Self.streamLimit else {
            try await send(SPDYEncoder.encodeBare(.reset(stream: id, status: .refusedStream)))
            return nil
        }
        let stream = SPDYStream(id: id, headers: headers, windows: windows, send: send)
        streams[id] = stream
        if isLast { stream.input.finish() }
        return stream
    }

    private mutating func data(_ id: UInt32, _ bytes: ByteBuffer, isLast: Bool) async throws {
        unacknowledged += bytes.readableBytes
        if unacknowledged >= SPDYFrame.initialWindow / 4 {
            let count = UInt32(unacknowledged)
            unacknowledged = 0
            // The streams' own windows hold the client back; the connection's is only kept open.
            try await send(SPDYEncoder.encodeBare(.window(stream: 0, more: count)))
        }
        guard let stream = streams[id] else { return }
        // A client that minds no window is held back here, with all its streams: that is what its own kind does.
        await stream.input.write(bytes)
        if isLast { stream.input.finish() }
    }

    /// Tells the client that its stream is taken.
    func accept(_ stream: SPDYStream) async throws {
        try await send(try encoder.encode(.reply(stream: stream.id, headers: [:], isLast: false)))
    }

    mutating func refuse(_ stream: SPDYStream, _ status: SPDYFrame.ResetStatus = .refusedStream) async throws {
        remove(stream)
        try await send(SPDYEncoder.encodeBare(.reset(stream: stream.id, status: status)))
    }

    /// Both ends are done with it.
    mutating func remove(_ stream: SPDYStream) {
        streams[stream.id] = nil
        stream.close()
    }

    /// The connection is over.
    mutating func close() {
        windows.close()
        for stream in streams.values { stream.close() }
        streams = [:]
    }
}
