import NIOCore

/// A part of a line of a container's log. Long lines come in several pieces, each as soon as it is there.
struct LogPiece: Equatable {
    /// The line's time; nil for what the kubelet itself writes into the stream.
    var stamp: LogStamp?
    var startsLine: Bool
    var endsLine: Bool
    /// Without the time, with the line's end.
    var bytes: ByteBuffer
}

/// Reads a log stream with timestamps. Kubelets before 1.26 also put a time before each 16 KiB part that the runtime cut a long line into:
/// those are removed.
struct LogParser {
    private enum State: Equatable {
        case lineStart
        /// `length`: bytes of the line so far.
        case line(LogStamp?, length: Int)
    }
    private static let part = 16 * 1024

    private var state = State.lineStart
    private var pending = ByteBuffer()

    /// The pieces that a chunk of the stream completes.
    mutating func feed(_ chunk: ByteBuffer) -> [LogPiece] {
        pending.writeImmutableBuffer(chunk)
        var pieces: [LogPiece] = []
        while let piece = take(atEnd: false) { pieces.append(piece) }
        pending.discardReadBytes()
        return pieces
    }

    /// What was held back when the stream ends.
    mutating func finish() -> [LogPiece] {
        var pieces: [LogPiece] = []
        while let piece = take(atEnd: true) { pieces.append(piece) }
        state = .lineStart
        return pieces
    }

    private enum Prefix {
        case undecided
        case none
        case stamp(LogStamp)
    }

    private mutating func take(atEnd: Bool) -> LogPiece? {
        guard pending.readableBytes > 0 else { return nil }
        switch state {
        case .lineStart:
            switch prefix(atEnd: atEnd) {
            case .undecided: return nil
            case .none: return piece(nil, length: 0, starts: true)
            case .stamp(let stamp): return piece(stamp, length: 0, starts: true)
            }
        case .line(let stamp, let length):
            if stamp != nil, length > 0, length % Self.part == 0 {
                switch prefix(atEnd: atEnd) {
                case .undecided: return nil
                case .none, .stamp: break
                }
            }
            return piece(stamp, length: length, starts: false)
        }
    }

    /// Removes a time and its blank from the front, if one stands there.
    private mutating func prefix(atEnd: Bool) -> Prefix {
        let view = pending.readableBytesView.prefix(LogStamp.maximumLength + 1)
        guard let end = view.firstIndex(where: { $0 == 0x20 || $0 == 0x0A }) else {
            return view.count <= LogStamp.maximumLength && !atEnd ? .undecided : .none
        }
        guard view[end] == 0x20, let stamp = LogStamp(String(decoding: view[..<end], as: UTF8.self)) else { return .none }
        pending.moveReaderIndex(forwardBy: end - view.startIndex + 1)
        return .stamp(stamp)
    }

    private mutating func piece(_ stamp: LogStamp?, length: Int, starts: Bool) -> LogPiece? {
        var limit = pending.readableBytes
        if stamp != nil { limit = min(limit, Self.part - length % Self.part) }
        let view = pending.readableBytesView
        var ends = false
        if let end = view.prefix(limit).firstIndex(of: 0x0A) {
            limit = end - view.startIndex + 1
            ends = true
        }
        state = ends ? .lineStart : .line(stamp, length: length + limit)
        guard let bytes = pending.readSlice(length: limit) else { return nil }
        return LogPiece(stamp: stamp, startsLine: starts, endsLine: ends, bytes: bytes)
    }
}
