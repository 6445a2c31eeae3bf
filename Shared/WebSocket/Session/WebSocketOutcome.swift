import NIOConcurrencyHelpers
import NIOCore

/// How a session stands, told by the channel's event loop and read by tasks.
struct WebSocketOutcome: Sendable {
    enum End: Sendable, Equatable {
        /// A close frame of either end.
        case closed
        case lost
        case violation(WebSocketCloseCode, String)
    }

    private struct State {
        var end: End?
        var peerClose: WebSocketClose?
    }

    private let state = NIOLockedValueBox(State())

    /// The first end counts; what follows is its consequence.
    func end(_ end: End) {
        state.withLockedValue { if $0.end == nil { $0.end = end } }
    }

    func received(_ close: WebSocketClose) {
        state.withLockedValue { $0.peerClose = close }
    }

    var peerClose: WebSocketClose? { state.withLockedValue { $0.peerClose } }

    var sendingError: WebSocketError? {
        switch state.withLockedValue({ $0.end }) {
        case nil: nil
        case .closed: .closed
        case .lost: .connectionLost
        case .violation(let code, let reason): .violation(code, reason)
        }
    }

    /// What a reader that came to the end is to be told.
    var receivingError: WebSocketError? {
        switch state.withLockedValue({ $0.end }) {
        case .closed: nil
        case nil, .lost: .connectionLost
        case .violation(let code, let reason): .violation(code, reason)
        }
    }
}

/// What a session asks of its channel.
enum WebSocketOutbound: Sendable {
    case text(ByteBuffer)
    case binary(ByteBuffer)
    case close(WebSocketClose)
}

extension EventLoopFuture where Value: Sendable {
    /// Like `get`, but returns at once with `CancellationError` when the task is cancelled; the operation itself goes on.
    func cancellableGet() async throws -> Value {
        let waiting = NIOLockedValueBox<CheckedContinuation<Value, any Error>?>(nil)
        @Sendable func resume(_ result: Result<Value, any Error>) {
            let continuation = waiting.withLockedValue { waiting in
                defer { waiting = nil }
                return waiting
            }
            continuation?.resume(with: result)
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                waiting.withLockedValue { $0 = continuation }
                // The handler may have run before the continuation was in its place.
                if Task.isCancelled { resume(.failure(CancellationError())) }
                self.whenComplete { resume($0) }
            }
        } onCancel: {
            resume(.failure(CancellationError()))
        }
    }
}
