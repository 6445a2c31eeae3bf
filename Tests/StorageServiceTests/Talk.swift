import Foundation
import HTTPTypes
import NIOCore
import NIOPosix
import TestSupport
import Testing
import WebSocket

@testable import StorageService

/// Asks over one connection; each answer is to the request before it.
struct Talk {
    let session: WebSocketSession
    var answers: WebSocketInbound.AsyncIterator
    private var id: Int64 = 0

    init(_ session: WebSocketSession) {
        self.session = session
        answers = session.inbound.makeAsyncIterator()
    }

    /// The other side has closed.
    struct Ended: Error {}

    mutating func ask(_ op: String, _ more: [(String, CBOR)] = [], data: String = "") async throws -> SocketMessage {
        id += 1
        let header = CBOR.object([("op", .text(op)), ("id", .integer(id))] + more)
        let answer = try await ask(SocketMessage(header, data: ByteBuffer(string: data)).bytes)
        #expect(answer.header["rop"] == .text(op) && answer.header["rid"] == .integer(id))
        let time = try #require(answer.header["timestamp"]?.integer)
        #expect(abs(Double(time) - Date().timeIntervalSince1970) < 60)
        return answer
    }

    mutating func ask(_ bytes: ByteBuffer) async throws -> SocketMessage {
        try await session.send(bytes)
        guard case .binary(let bytes) = try await answers.next() else { throw Ended() }
        return try SocketMessage(bytes)
    }
}

extension SocketTests {
    static func talk(
        _ platform: Platform, _ path: String, as name: String = "alice", _ body: @escaping @Sendable (inout Talk) async throws -> Void
    ) async throws {
        try await WebSocketClient.connect(
            url: platform.storage.url.replacingOccurrences(of: "http://", with: "ws://") + "/api/v1/storage" + path + "?op=WEBSOCKET",
            headers: [.authorization: "Bearer \(try await platform.token(name))"], protocols: [], tls: nil, maxFrame: 20 << 20,
            timeout: .seconds(20), eventLoopGroup: .singletonMultiThreadedEventLoopGroup
        ) { session, _ in
            var talk = Talk(session)
            try await body(&talk)
        }
    }
}
