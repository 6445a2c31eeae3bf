import Collections
import NIOCore

/// Remembers what of a pod's log has been passed on, so that a stream that broke is taken up again without losing or repeating anything.
///
/// Kubernetes resumes by whole seconds only, and lines of the two output streams may stand slightly out of order in the file; so the times
/// of the last lines are kept, and lines that come again are recognised one by one. A writer may give thousands of lines one time: those
/// are kept as a number.
struct LogCursor {
    /// Lines of one time that follow each other.
    private struct Moment {
        let time: Int64
        var lines: Int
    }

    /// Moments, not lines: each is known whole.
    private static let remembered = 1024

    /// Lines before this are not wanted (nanoseconds since 1970).
    let since: Int64?
    /// The last lines passed on, in their order.
    private var recent: Deque<Moment> = []
    /// Bytes passed on of the last line, if its end has not been seen.
    private var partial: Int?
    /// Lines that the present reading still has to bring again, by time.
    private var expected: [Int64: Int] = [:]
    private var oldest: Int64?
    private var line = Line.passed

    private enum Line: Equatable {
        case passed
        case skipped
        /// Taken up in its middle: so many bytes are known already.
        case resumed(Int)
    }

    init(since: Int64? = nil) { self.since = since }

    /// Whether anything has been passed on.
    var isFresh: Bool { recent.isEmpty }

    /// From where to ask for the log again, nanoseconds since 1970.
    var resumeFrom: Int64? { oldestMoment ?? since }

    private var oldestMoment: Int64? { recent.lazy.map(\.time).min() }

    /// A reading of the log begins.
    /// - Parameter sameRun: the container has not been started again since the last reading. A new run's lines are all news, except those
    ///   that were already read because the restart was noticed late.
    mutating func begin(sameRun: Bool) {
        expected = recent.reduce(into: [:]) { $0[$1.time, default: 0] += $1.lines }
        oldest = sameRun ? oldestMoment : nil
        line = .skipped
        if !sameRun { partial = nil }
    }

    /// What of a piece is news.
    mutating func admit(_ piece: LogPiece) -> ByteBuffer? {
        if piece.startsLine { line = start(piece.stamp) }
        switch line {
        case .skipped: return nil
        case .resumed(let known) where known >= piece.bytes.readableBytes:
            line = .resumed(known - piece.bytes.readableBytes)
            return nil
        case .resumed(let known):
            line = .passed
            var bytes = piece.bytes
            bytes.moveReaderIndex(forwardBy: known)
            note(bytes.readableBytes, piece)
            return bytes
        case .passed:
            note(piece.bytes.readableBytes, piece)
            return piece.bytes
        }
    }

    /// Whether the piece now admitted is the beginning of its line, and not a line taken up in its middle.
    private mutating func start(_ stamp: LogStamp?) -> Line {
        guard let stamp else { return .passed }
        let time = stamp.nanoseconds
        if let since, time < since { return .skipped }
        if let oldest, time < oldest { return .skipped }
        if let count = expected[time], count > 0 {
            expected[time] = count - 1
            if let known = partial, recent.last?.time == time, count == 1 { return .resumed(known) }
            return .skipped
        }
        if let last = recent.indices.last, recent[last].time == time {
            recent[last].lines += 1
        } else {
            recent.append(Moment(time: time, lines: 1))
            if recent.count > Self.remembered { recent.removeFirst() }
        }
        partial = 0
        return .passed
    }

    private mutating func note(_ count: Int, _ piece: LogPiece) {
        guard piece.stamp != nil else { return }
        partial = piece.endsLine ? nil : (partial ?? 0) + count
    }
}
