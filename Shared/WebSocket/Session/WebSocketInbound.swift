import HummingbirdCore
import NIOCore

/// The messages of the other end, with back-pressure: what is not iterated is, beyond a bound, not read from the socket.
public struct WebSocketInbound: AsyncSequence, Sendable {
    public typealias Element = WebSocketMessage

    /// On a server messages travel as parts of the request's body, on a client as elements of the channel.
    enum Source: Sendable {
        case request(RequestBody)
        case channel(NIOAsyncChannelInboundStream<ByteBuffer>)
    }

    private let source: Source
    private let outcome: WebSocketOutcome

    init(_ source: Source, outcome: WebSocketOutcome) {
        self.source = source
        self.outcome = outcome
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        enum Source {
            case request(RequestBody.AsyncIterator)
            case channel(NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator)

            mutating func next() async throws -> ByteBuffer? {
                switch self {
                case .request(var iterator):
                    defer { self = .request(iterator) }
                    return try await iterator.next()
                case .channel(var iterator):
                    defer { self = .channel(iterator) }
                    return try await iterator.next()
                }
            }
        }

        var source: Source
        let outcome: WebSocketOutcome
        var done = false

        public mutating func next() async throws -> WebSocketMessage? {
            guard !done else { return nil }
            guard let part = try await source.next(), let message = WebSocketMessage(part: part) else {
                done = true
                // A cancelled reader ends quietly; an end that nobody announced is a break.
                if !Task.isCancelled, let error = outcome.receivingError { throw error }
                return nil
            }
            return message
        }
    }

    public func makeAsyncIterator() -> AsyncIterator {
        switch source {
        case .request(let body): AsyncIterator(source: .request(body.makeAsyncIterator()), outcome: outcome)
        case .channel(let stream): AsyncIterator(source: .channel(stream.makeAsyncIterator()), outcome: outcome)
        }
    }
}

extension WebSocketMessage {
    /// Inside the channel a message is its opcode and its payload in one buffer; an empty buffer ends the stream.
    init?(part: ByteBuffer) {
        var part = part
        switch part.readInteger(as: UInt8.self) {
        case MessageAssembler.text: self = .text(String(buffer: part))
        case MessageAssembler.binary: self = .binary(part)
        default: return nil
        }
    }
}
