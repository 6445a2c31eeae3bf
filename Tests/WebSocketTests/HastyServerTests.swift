import NIOCore
import NIOPosix
import Testing

@testable import WebSocket

/// A server that says everything in its first breath and hangs up: what a quick `exec` of Kubernetes looks like.
@Suite(.timeLimit(.minutes(5)))
struct HastyServerTests {
    /// Answers a handshake with the 101, the frames and the end of the connection in one write.
    private final class Answer: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        let frames: [UInt8]

        init(_ frames: [UInt8]) { self.frames = frames }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let request = String(buffer: unwrapInboundIn(data))
            guard let key = request.split(separator: "\r\n").first(where: { $0.lowercased().hasPrefix("sec-websocket-key: ") }) else {
                return
            }
            let accept = WebSocketUpgrade.acceptance(of: String(key.dropFirst("sec-websocket-key: ".count)))
            var answer = ByteBuffer(
                string:
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: \(accept)\r\n\r\n"
            )
            answer.writeBytes(frames)
            context.write(wrapOutboundOut(answer), promise: nil)
            context.flush()
            context.close(promise: nil)
        }
    }

    private func heard(_ frames: [UInt8]) async throws -> (texts: [String], lost: Bool, peerClose: WebSocketCloseCode?) {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Answer(frames)) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        defer { server.close(promise: nil) }
        let port = try #require(server.localAddress?.port)
        return try await WebSocketClient.connect(url: "ws://127.0.0.1:\(port)/") { session, _ in
            var texts: [String] = []
            do {
                for try await case .text(let text) in session.inbound { texts.append(text) }
            } catch WebSocketError.connectionLost {
                return (texts, true, session.peerClose?.code)
            }
            return (texts, false, session.peerClose?.code)
        }
    }

    private static let words: [UInt8] =
        [0x81, 3] + Array("one".utf8) + [0x89, 0, 0x01, 2] + Array("tw".utf8) + [0x80, 1] + Array("o".utf8)

    @Test func nothingOfItIsLost() async throws {
        for _ in 0..<100 {
            let heard = try await heard(Self.words + [0x88, 2, 0x03, 0xE8])
            #expect(heard.texts == ["one", "two"])
            #expect(!heard.lost)
            #expect(heard.peerClose == .normal)
        }
    }

    @Test func withoutACloseFrameTheWordsComeBeforeTheLoss() async throws {
        for _ in 0..<100 {
            let heard = try await heard(Self.words)
            #expect(heard.texts == ["one", "two"])
            #expect(heard.lost)
        }
    }

    @Test func whatIsMalformedIsTold() async throws {
        for _ in 0..<20 {
            await #expect(throws: WebSocketError.self) { try await heard(Self.words + [0xC1, 0]) }
        }
    }
}
