import NIOCore

/// Turns what stands in the file (the CRI's format: `time stream P|F text`) into what a client is to see. Pure.
struct LogPrinter {
    let request: LogRequest
    private var rest = ByteBuffer()
    private var room: Int
    private var isAtLineStart = true

    init(_ request: LogRequest) {
        self.request = request
        room = request.limitBytes ?? .max
    }

    /// Nothing more is to be shown: the limit is reached.
    var isFull: Bool { room <= 0 }

    mutating func append(_ bytes: ByteBuffer) {
        rest.discardReadBytes()
        rest.writeImmutableBuffer(bytes)
    }

    /// The next pieces to be shown, about `limit` bytes at most; nil when no whole record is left.
    mutating func next(limit: Int = 64 << 10) -> ByteBuffer? {
        var output = ByteBuffer()
        var isAny = false
        while output.readableBytes < limit, !isFull, let record = record() {
            isAny = true
            print(record, to: &output)
        }
        return isAny ? output : nil
    }

    private mutating func record() -> ByteBuffer? {
        guard let end = rest.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let line = rest.readSlice(length: end - rest.readerIndex)
        rest.moveReaderIndex(forwardBy: 1)
        return line
    }

    private mutating func print(_ record: ByteBuffer, to output: inout ByteBuffer) {
        let bytes = record.readableBytesView
        let fields = bytes.split(separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false)
        // A record that is none was torn by a crash of its writer; there is nothing to show of it.
        guard fields.count == 4 || fields.count == 3, let tag = fields[2].first else { return }
        switch request.stream {
        case .all: break
        case .stdout: guard fields[1].elementsEqual("stdout".utf8) else { return }
        case .stderr: guard fields[1].elementsEqual("stderr".utf8) else { return }
        }
        var time: LogTimestamp?
        if request.since != nil || request.timestamps {
            guard let read = LogTimestamp(fields[0]) else { return }
            time = read
        }
        if let since = request.since, let time, time < since { return }
        if request.timestamps, isAtLineStart, let time { write(Array((time.text + " ").utf8), to: &output) }
        if fields.count == 4 { write(fields[3], to: &output) }
        isAtLineStart = tag == UInt8(ascii: "F")
        if isAtLineStart { write(CollectionOfOne(UInt8(ascii: "\n")), to: &output) }
    }

    private mutating func write(_ bytes: some Collection<UInt8>, to output: inout ByteBuffer) {
        let part = bytes.prefix(room)
        room -= part.count
        output.writeBytes(part)
    }
}
