public import NIOCore

/// One end of an open WebSocket. Messages are read from ``inbound`` by one task and sent by any number of tasks.
///
/// Pings, pongs, the close handshake and the limits are the channel's business: they work whatever the holder of the session does.
public struct WebSocketSession: Sendable {
    /// What the other end sends, in order. Ends after a close frame; throws ``WebSocketError/connectionLost`` if the connection broke.
    /// To be iterated once.
    public let inbound: WebSocketInbound
    private let channel: any Channel
    private let outcome: WebSocketOutcome

    init(inbound: WebSocketInbound, channel: any Channel, outcome: WebSocketOutcome) {
        self.inbound = inbound
        self.channel = channel
        self.outcome = outcome
    }

    /// The other end's close frame, once it has been received.
    public var peerClose: WebSocketClose? { outcome.peerClose }

    /// Sends one message and returns when the kernel has taken all of it, so a slow reader holds back the sender.
    /// - Throws: ``WebSocketError/closed`` after a close frame, ``WebSocketError/connectionLost``; `CancellationError` (the message may still go out).
    public func send(_ message: WebSocketMessage) async throws {
        switch message {
        case .text(let text): try await trigger(.text(ByteBuffer(string: text)))
        case .binary(let bytes): try await trigger(.binary(bytes))
        }
    }

    /// Sends a text message.
    public func send(text: String) async throws { try await send(.text(text)) }

    /// Sends a binary message.
    public func send(_ bytes: ByteBuffer) async throws { try await send(.binary(bytes)) }

    /// Starts the close handshake; the channel ends it, within its own time limit. Closing twice is harmless.
    /// - Parameter reason: cut to the 123 bytes that a close frame can hold.
    public func close(code: WebSocketCloseCode = .normal, reason: String = "") async throws {
        try await trigger(.close(WebSocketClose(code: code, reason: reason)))
    }

    /// Runs `body` until it returns or the other end is gone, then cancels it. For sessions that only send: what comes in is thrown away.
    /// - Returns: nil if the other end went first.
    public func whileOpen<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value? {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                do {
                    for try await _ in inbound {}
                } catch is WebSocketError {
                    // Lost is gone as well.
                }
                return nil
            }
            let first = try await group.next() ?? nil
            group.cancelAll()
            if first == nil {
                // The body has been cancelled: how it takes that is no news to the caller.
                while let _ = await group.nextResult() {}
            }
            return first
        }
    }

    /// Asks for the close handshake without waiting for anything.
    func closeDetached(code: WebSocketCloseCode) {
        channel.triggerUserOutboundEvent(WebSocketOutbound.close(WebSocketClose(code: code)), promise: nil)
    }

    private func trigger(_ event: WebSocketOutbound) async throws {
        try Task.checkCancellation()
        if case .close = event {} else if let error = outcome.sendingError { throw error }
        do {
            try await channel.triggerUserOutboundEvent(event).cancellableGet()
        } catch let error as ChannelError {
            if case .close = event { return }
            throw outcome.sendingError ?? (error == .operationUnsupported ? .noConnection : .connectionLost)
        } catch let error as IOError {
            _ = error
            throw outcome.sendingError ?? .connectionLost
        }
    }
}
