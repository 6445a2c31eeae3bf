import Foundation
import Kubernetes
import NIOCore

/// Reads the log of one container, as often as it takes, and passes on what is news.
struct LogReader: Sendable {
    enum Outcome: Sendable {
        /// The stream ended in order.
        case ended
        /// It broke, or the server is away.
        case broken(any Error)
        /// The container has no log (yet): it has not started, or its log was removed.
        case nothing
        /// There is no such pod.
        case gone
    }
    typealias Send = @Sendable (ByteBuffer) async throws -> Void
    /// The client is not there any more; nothing else ends a reading by throwing.
    struct SendFailed: Error { let cause: any Error }

    private static let frame = 64 << 10

    let options: LogOptions
    let send: Send
    private(set) var cursor: LogCursor
    /// Printed before the next output, once.
    var pendingSeparator: String?
    /// Pieces passed on.
    private(set) var sent = 0

    init(options: LogOptions, send: @escaping Send) {
        self.options = options
        self.send = send
        cursor = LogCursor(since: options.since.map { $0.microseconds * 1000 })
    }

    /// A pod's log starts: what the pods before it said does not tell where this one is.
    mutating func beginPod() { cursor = LogCursor(since: options.since.map { $0.microseconds * 1000 }) }

    /// Reads until the stream ends or breaks.
    /// - Throws: ``SendFailed`` and `CancellationError` only.
    mutating func read(
        _ client: KubernetesClient, pod: PodPlace, follow: Bool, previous: Bool = false, sameRun: Bool
    ) async throws -> Outcome {
        var request = PodLogOptions(container: pod.container, follow: follow, previous: previous, timestamps: true)
        if let from = sameRun ? cursor.resumeFrom : cursor.since {
            request.since = Date(timeIntervalSince1970: Double(from / 1_000_000_000))
        }
        cursor.begin(sameRun: sameRun)
        var parser = LogParser()
        var filter = TrailingErrorFilter()
        do {
            let logs = try await client.logs(pod: pod.name, in: pod.namespace, request)
            for try await chunk in logs { try await pass(parser.feed(chunk), through: &filter) }
            try await pass(parser.finish(), through: &filter)
            try await deliver(options.debug ? filter.release() : filter.finish())
            return .ended
        } catch let error as SendFailed {
            throw error
        } catch let error as KubernetesError where error.isNotFound {
            return .gone
        } catch let error as KubernetesError where error.code == 400 {
            return .nothing
        } catch {
            try Task.checkCancellation()
            try await deliver(filter.release())
            return .broken(error)
        }
    }

    /// Passes on what is news in the pieces, in frames of a bounded size.
    private mutating func pass(_ pieces: [LogPiece], through filter: inout TrailingErrorFilter) async throws {
        var out = ByteBuffer()
        for piece in pieces {
            guard let news = cursor.admit(piece) else { continue }
            let isStart = piece.startsLine && news.readableBytes == piece.bytes.readableBytes
            var bytes = news
            if isStart, options.timestamps, let stamp = piece.stamp {
                bytes = ByteBuffer(string: stamp.text + " ")
                bytes.writeImmutableBuffer(news)
            }
            if !options.debug {
                bytes = filter.admit(bytes, payload: news, startsLine: isStart, endsLine: piece.endsLine)
            }
            out.writeImmutableBuffer(bytes)
            if out.readableBytes >= Self.frame {
                try await deliver(out)
                out = ByteBuffer()
            }
        }
        try await deliver(out)
    }

    /// Sends a piece that is not empty, the separator before it if one is due.
    mutating func deliver(_ bytes: ByteBuffer) async throws {
        guard bytes.readableBytes > 0 else { return }
        do {
            if let separator = pendingSeparator {
                pendingSeparator = nil
                try await send(ByteBuffer(string: separator + "\n"))
            }
            var rest = bytes
            while let slice = rest.readSlice(length: min(rest.readableBytes, 4 * Self.frame)), slice.readableBytes > 0 {
                try await send(slice)
            }
            sent += 1
        } catch {
            throw SendFailed(cause: error)
        }
    }
}

/// Where a job's container is.
struct PodPlace: Sendable, Hashable {
    var name: String
    var namespace: String
    var container: String
}
