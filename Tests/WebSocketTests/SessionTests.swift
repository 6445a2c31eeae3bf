import Hummingbird
import NIOCore
import Testing

@testable import WebSocket

@Suite(.timeLimit(.minutes(5)))
struct SessionTests {
    @Test func echoesTextBinaryAndLargeMessages() async throws {
        try await withServer(routes: { $0.get("echo", use: echo) }) { port, _ in
            try await WebSocketClient.connect(url: "ws://127.0.0.1:\(port)/echo") { session, _ in
                let large = ByteBuffer(bytes: (0..<900_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
                // Over a megabyte: goes out in fragments.
                let fragmented = ByteBuffer(repeating: 7, count: 3_000_000)
                let messages: [WebSocketMessage] = [.text("grüße"), .binary(large), .text(""), .binary(ByteBuffer()), .binary(fragmented)]
                var replies = session.inbound.makeAsyncIterator()
                for message in messages {
                    try await session.send(message)
                    #expect(try await replies.next() == message)
                }
            }
        }
    }

    @Test func aRouteMayTakeLongerMessages() async throws {
        var configuration = ServerChannelConfiguration()
        (configuration.maxFrame, configuration.maxMessage) = (1000, 1000)
        let routes: (Router<BasicRequestContext>) -> Void = { router in
            router.get("long") { request, _ in
                guard let upgrade = WebSocketUpgrade(request: request) else { throw HTTPError(.badRequest) }
                return upgrade.accept(maxMessage: 20_000) { session in
                    for try await message in session.inbound { try await session.send(message) }
                }
            }
        }
        try await withServer(configuration, routes: routes) { port, _ in
            try await WebSocketClient.connect(url: "ws://127.0.0.1:\(port)/long") { session, _ in
                var replies = session.inbound.makeAsyncIterator()
                let long = WebSocketMessage.binary(ByteBuffer(repeating: 1, count: 20_000))
                try await session.send(long)
                #expect(try await replies.next() == long)
                try await session.send(.binary(ByteBuffer(repeating: 1, count: 20_001)))
                #expect(try await replies.next() == nil)
                #expect(session.peerClose?.code == .messageTooBig)
            }
        }
    }

    @Test func joinsFragmentsAroundControlFrames() async throws {
        try await withServer(routes: { $0.get("echo", use: echo) }) { port, _ in
            try await RawConnection.open(port) { raw in
                #expect(try await raw.upgrade().hasPrefix("HTTP/1.1 101 "))
                try await raw.writeFrame(0x01, Array("one ".utf8))
                try await raw.writeFrame(0x89, Array("p".utf8))
                try await raw.writeFrame(0x00, Array("two ".utf8))
                try await raw.writeFrame(0x80, Array("three".utf8))
                let pong = try await raw.readFrame()
                #expect(pong?.first == 0x8A && pong?.payload == Array("p".utf8))
                let reply = try await raw.readFrame()
                #expect(reply?.first == 0x81 && reply?.payload == Array("one two three".utf8))
            }
        }
    }

    @Test func framesSentTogetherWithTheHandshakeAreNotLost() async throws {
        try await withServer(routes: { $0.get("echo", use: echo) }) { port, _ in
            try await RawConnection.open(port) { raw in
                try await raw.write(
                    "GET /echo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\u{1}\u{0}")
                // The text frame "" in two parts: first bytes above came with the handshake … as an unmasked frame, a violation.
                #expect(try await raw.readHead().hasPrefix("HTTP/1.1 101 "))
                #expect(try await raw.readCloseCode() == 1002)
            }
        }
    }

    @Test func pingIsAnsweredWhileTheRouteIsBusy() async throws {
        let over = Signal()
        let routes: (Router<BasicRequestContext>) -> Void = { router in
            router.get("busy") { request, _ in
                guard let upgrade = WebSocketUpgrade(request: request) else { throw HTTPError(.badRequest) }
                return upgrade.accept { _ in await over.wait() }
            }
        }
        try await withServer(routes: routes) { port, _ in
            try await RawConnection.open(port) { raw in
                _ = try await raw.upgrade("/busy")
                // More messages than the route's buffers hold, which nobody takes, and the ping behind them.
                for number in 0..<100 { try await raw.writeFrame(0x82, [UInt8(number)]) }
                try await raw.writeFrame(0x89, [42])
                let pong = try await raw.readFrame()
                #expect(pong?.first == 0x8A && pong?.payload == [42])
                over.send()
            }
        }
    }

    @Test func subprotocolIsNegotiated() async throws {
        try await withServer(routes: { $0.get("echo", use: echo) }) { port, _ in
            let url = "ws://127.0.0.1:\(port)/echo"
            let chosen = try await WebSocketClient.connect(url: url, protocols: ["other", "echo.v1"]) { _, chosen in chosen }
            #expect(chosen == "echo.v1")
            let none = try await WebSocketClient.connect(url: url, protocols: ["other"]) { _, chosen in chosen }
            #expect(none == nil)
        }
    }

    @Test func closeCodesTravelBothWays() async throws {
        let routes: (Router<BasicRequestContext>) -> Void = { router in
            router.get("close") { request, _ in
                guard let upgrade = WebSocketUpgrade(request: request) else { throw HTTPError(.badRequest) }
                return upgrade.accept { session in try await session.close(code: .policyViolation, reason: "enough") }
            }
            router.get("fail") { request, _ in
                guard let upgrade = WebSocketUpgrade(request: request) else { throw HTTPError(.badRequest) }
                return upgrade.accept { _ in throw HTTPError(.internalServerError) }
            }
            router.get("echo", use: echo)
        }
        try await withServer(routes: routes) { port, _ in
            let closed = try await WebSocketClient.connect(url: "ws://127.0.0.1:\(port)/close") { session, _ in
                for try await _ in session.inbound {}
                return session.peerClose
            }
            #expect(closed == WebSocketClose(code: .policyViolation, reason: "enough"))
            let failed = try await WebSocketClient.connect(url: "ws://127.0.0.1:\(port)/fail") { session, _ in
                for try await _ in session.inbound {}
                return session.peerClose
            }
            #expect(failed?.code == .internalError)
            try await RawConnection.open(port) { raw in
                _ = try await raw.upgrade()
                try await raw.writeFrame(0x88, [0x0F, 0xA0])
                #expect(try await raw.readCloseCode() == 4000)
                #expect(try await raw.isAtEnd())
            }
        }
    }

    @Test func messagesBeforeACloseAreStillRead() async throws {
        let (counts, counted) = AsyncStream.makeStream(of: Int.self)
        let routes: (Router<BasicRequestContext>) -> Void = { router in
            router.get("count") { request, _ in
                guard let upgrade = WebSocketUpgrade(request: request) else { throw HTTPError(.badRequest) }
                return upgrade.accept { session in
                    var count = 0
                    for try await _ in session.inbound { count += 1 }
                    counted.yield(count)
                }
            }
        }
        try await withServer(routes: routes) { port, _ in
            try await WebSocketClient.connect(url: "ws://127.0.0.1:\(port)/count") { session, _ in
                for _ in 0..<500 { try await session.send(text: "x") }
            }
            var iterator = counts.makeAsyncIterator()
            #expect(await iterator.next() == 500)
        }
    }

    @Test func aLostConnectionEndsASessionThatOnlySends() async throws {
        let ended = Signal()
        let routes: (Router<BasicRequestContext>) -> Void = { router in
            router.get("forever") { request, _ in
                guard let upgrade = WebSocketUpgrade(request: request) else { throw HTTPError(.badRequest) }
                return upgrade.accept { session in
                    let result: Void? = try await session.whileOpen { try await Task.sleep(for: .seconds(600)) }
                    #expect(result == nil)
                    ended.send()
                }
            }
        }
        try await withServer(routes: routes) { port, _ in
            try await RawConnection.open(port) { raw in _ = try await raw.upgrade("/forever") }
            await ended.wait()
        }
    }

    @Test func aSlowReaderHoldsBackTheSender() async throws {
        let (sizes, sent) = AsyncStream.makeStream(of: Int.self)
        let routes: (Router<BasicRequestContext>) -> Void = { router in
            router.get("flood") { request, _ in
                guard let upgrade = WebSocketUpgrade(request: request) else { throw HTTPError(.badRequest) }
                return upgrade.accept { session in
                    let chunk = ByteBuffer(repeating: 1, count: 256 << 10)
                    for number in 1...100 {
                        try await session.send(chunk)
                        sent.yield(number)
                    }
                    sent.finish()
                }
            }
        }
        try await withServer(routes: routes) { port, _ in
            try await WebSocketClient.connect(url: "ws://127.0.0.1:\(port)/flood") { session, _ in
                // Nothing is read: what is under way fits the sockets' buffers and the read-ahead, far from the 26 MB of it all.
                var last = 0
                let idle = Task {
                    for await number in sizes { last = max(last, number) }
                    return last
                }
                try await Task.sleep(for: .milliseconds(500))
                idle.cancel()
                #expect(await idle.value < 75)
                var bytes = 0
                for try await case .binary(let data) in session.inbound { bytes += data.readableBytes }
                #expect(bytes == 100 * 256 << 10)
            }
        }
    }

    @Test func aBusyRouteHoldsBackTheSenderAndTheClientStaysCalm() async throws {
        let go = Signal()
        let (totals, total) = AsyncStream.makeStream(of: Int.self)
        let routes: (Router<BasicRequestContext>) -> Void = { router in
            router.get("late") { request, _ in
                guard let upgrade = WebSocketUpgrade(request: request) else { throw HTTPError(.badRequest) }
                return upgrade.accept { session in
                    await go.wait()
                    var bytes = 0
                    for try await case .binary(let data) in session.inbound { bytes += data.readableBytes }
                    total.yield(bytes)
                }
            }
        }
        try await withServer(routes: routes) { port, _ in
            try await RawConnection.open(port) { raw in
                _ = try await raw.upgrade("/late")
                // 24 MiB in frames of 64 KiB, masked with zeros; whatever the server does not take stays in this process.
                let header: [UInt8] = [0x82, 0xFF, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
                let frame = ByteBuffer(bytes: header + [UInt8](repeating: 7, count: 65536))
                for _ in 0..<384 { raw.channel.writeAndFlush(frame, promise: nil) }
                raw.channel.writeAndFlush(ByteBuffer(bytes: [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8] as [UInt8]), promise: nil)
                let start = ContinuousClock.now
                #expect(try await raw.readFrame()?.first == 0x8A)
                #expect(ContinuousClock.now - start < .seconds(30))
                #expect(try await raw.channel.getOption(.bufferedWritableBytes).get() > 8 << 20)
                go.send()
                #expect(try await raw.readCloseCode() == 1000)
            }
            var iterator = totals.makeAsyncIterator()
            #expect(await iterator.next() == 24 << 20)
        }
    }

    @Test func shutdownClosesWithGoingAway() async throws {
        try await withServer(routes: { $0.get("echo", use: echo) }) { port, shutDown in
            try await WebSocketClient.connect(url: "ws://127.0.0.1:\(port)/echo") { session, _ in
                try await session.send(text: "there?")
                var replies = session.inbound.makeAsyncIterator()
                #expect(try await replies.next() == .text("there?"))
                let start = ContinuousClock.now
                await shutDown()
                #expect(try await replies.next() == nil)
                #expect(session.peerClose?.code == .goingAway)
                #expect(ContinuousClock.now - start < .seconds(5))
            }
        }
    }

    @Test func silentPeersAreDroppedAndLivelyOnesKept() async throws {
        var configuration = ServerChannelConfiguration()
        configuration.pingInterval = .seconds(8)
        try await withServer(configuration, routes: { $0.get("echo", use: echo) }) { port, _ in
            try await RawConnection.open(port) { raw in
                _ = try await raw.upgrade()
                #expect(try await raw.readFrame()?.first == 0x89)
                try await raw.writeFrame(0x8A, [])
                #expect(try await raw.readFrame()?.first == 0x89)
                // No pong this time: the connection ends without a close frame.
                #expect(try await raw.isAtEnd())
            }
        }
    }
}
