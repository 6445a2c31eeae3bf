import Synchronization

/// How much may be sent, on each stream and on the whole connection (draft-mbelshe-httpbis-spdy-00 §2.6.8, SPDY/3.1).
///
/// Kubernetes' own ends speak SPDY/3.1 and do no flow control: they neither mind the windows nor widen them. So a window counts from the
/// moment on at which the other end has shown that it knows of windows; until then the transport's back-pressure must do.
final class SPDYWindows: Sendable {
    private struct State {
        var initial = SPDYFrame.initialWindow
        var areStreamsBound = false
        var isConnectionBound = false
        /// Sent and granted beyond the initial window, by stream; a stream that is not here is over.
        var streams: [UInt32: (sent: Int, more: Int)] = [:]
        var sent = 0
        var more = 0
        var waiting: [CheckedContinuation<Void, Never>] = []

        func room(_ stream: UInt32) -> Int? {
            guard let (sent, more) = streams[stream] else { return nil }
            let own = areStreamsBound ? initial + more - sent : .max
            let whole = isConnectionBound ? SPDYFrame.initialWindow + self.more - self.sent : .max
            return min(own, whole)
        }
    }

    private let state = Mutex(State())

    func open(_ stream: UInt32) { state.withLock { $0.streams[stream] = (0, 0) } }

    func has(_ stream: UInt32) -> Bool { state.withLock { $0.streams[stream] != nil } }

    func close(_ stream: UInt32) { wake { $0.streams[stream] = nil } }

    /// Everything is over.
    func close() { wake { $0.streams = [:] } }

    /// The other end grants more.
    func widen(_ stream: UInt32, by more: Int) {
        wake { state in
            if stream == 0 {
                state.isConnectionBound = true
                state.more += more
            } else {
                state.areStreamsBound = true
                state.streams[stream]?.more += more
            }
        }
    }

    func setInitial(_ window: Int) {
        wake { state in
            state.areStreamsBound = true
            state.initial = window
        }
    }

    /// Waits until something may be sent on the stream, and takes at most `count` of it.
    /// - Returns: nil when the stream is over.
    func take(_ count: Int, of stream: UInt32) async -> Int? {
        while !Task.isCancelled {
            let taken: Int? = state.withLock { state in
                guard let room = state.room(stream) else { return nil }
                guard room > 0 else { return 0 }
                let taken = min(room, count)
                state.streams[stream]?.sent += taken
                state.sent += taken
                return taken
            }
            guard let taken else { return nil }
            if taken > 0 || count == 0 { return taken }
            await wait(for: stream)
        }
        return nil
    }

    private func wait(for stream: UInt32) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if Task.isCancelled || state.room(stream).map({ $0 > 0 }) ?? true { return true }
                    state.waiting.append(continuation)
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            // Each looks again, and this one sees that it is cancelled.
            wake { _ in }
        }
    }

    private func wake(_ change: (inout State) -> Void) {
        let waiting = state.withLock { state in
            change(&state)
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}
