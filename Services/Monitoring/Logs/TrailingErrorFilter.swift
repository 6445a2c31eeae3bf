import NIOCore

/// Drops a line with which the kubelet or the runtime reports its own trouble, if it is the last of the stream (monitoring.md 5.8).
struct TrailingErrorFilter {
    /// Kubelets of 1.20 begin the last in lower case.
    static let prefixes = ["rpc error: code =", "failed to try resolving", "Unable to retrieve", "unable to retrieve"].map {
        Array($0.utf8)
    }
    private static let longest = prefixes.map(\.count).max() ?? 0

    private enum State {
        case passing
        /// The beginning of a line is held until it can be told apart.
        case deciding
        /// The line looks like such a report; held until something follows it.
        case suspicious
    }
    private var state = State.passing
    private var held = ByteBuffer()
    /// The held line without its time.
    private var text: [UInt8] = []
    /// A suspicious line longer than this is no report.
    private static let limit = 64 << 10

    /// - Parameters:
    ///   - bytes: what would be sent, any time in front included.
    ///   - payload: the same without the time.
    /// - Returns: what may be sent now.
    mutating func admit(_ bytes: ByteBuffer, payload: ByteBuffer, startsLine: Bool, endsLine: Bool) -> ByteBuffer {
        var out = ByteBuffer()
        if startsLine {
            out = release()
            state = .deciding
        }
        guard state != .passing else { return bytes }
        held.writeImmutableBuffer(bytes)
        if state == .deciding {
            text.append(contentsOf: payload.readableBytesView.prefix(Self.longest - text.count))
            guard text.count >= Self.longest || endsLine else { return out }
            state = Self.prefixes.contains { text.starts(with: $0) } ? .suspicious : .passing
        }
        if state == .passing || held.readableBytes > Self.limit {
            out.writeImmutableBuffer(release())
        }
        return out
    }

    /// The stream ended in order: a held report is dropped, anything else comes out.
    mutating func finish() -> ByteBuffer {
        if state == .deciding, Self.prefixes.contains(where: { text.starts(with: $0) }) { state = .suspicious }
        if state == .suspicious { held.clear() }
        return release()
    }

    /// What is held, whatever it is: the stream broke, and what it brought last was not its last line.
    mutating func release() -> ByteBuffer {
        defer {
            held = ByteBuffer()
            text = []
            state = .passing
        }
        return held
    }
}
