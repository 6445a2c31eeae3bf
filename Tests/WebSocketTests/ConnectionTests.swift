import Hummingbird
import NIOCore
import Testing

@testable import WebSocket

/// The HTTP side of the channel.
@Suite(.timeLimit(.minutes(5)))
struct ConnectionTests {
    private static func routes(_ router: Router<BasicRequestContext>) {
        router.get("hello") { _, _ in "hello" }
        router.get("echo", use: echo)
        router.get("closed") { _, _ -> Response in throw HTTPError(.unauthorized, message: "no token") }
        router.post("refuse") { _, _ -> Response in throw HTTPError(.contentTooLarge, message: "too much") }
    }

    @Test func upgradesAfterOtherRequestsOfTheSameConnection() async throws {
        try await withServer(routes: Self.routes) { port, _ in
            try await RawConnection.open(port) { raw in
                for _ in 0..<3 {
                    try await raw.write("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
                    #expect(try await raw.readHead().hasPrefix("HTTP/1.1 200 "))
                    #expect(try await raw.read(5) == Array("hello".utf8))
                }
                let head = try await raw.upgrade()
                #expect(head.hasPrefix("HTTP/1.1 101 "))
                #expect(head.lowercased().contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n"))
                try await raw.writeFrame(0x81, Array("now".utf8))
                #expect(try await raw.readFrame()?.payload == Array("now".utf8))
            }
        }
    }

    @Test(arguments: [("/closed", "401"), ("/nowhere", "404"), ("/hello", "200")])
    func aRequestThatIsNotUpgradedEndsItsConnection(_ path: String, _ status: String) async throws {
        try await withServer(routes: Self.routes) { port, _ in
            try await RawConnection.open(port) { raw in
                let head = try await raw.upgrade(path)
                #expect(head.hasPrefix("HTTP/1.1 \(status) "))
                #expect(head.lowercased().contains("connection: close\r\n"))
                while try await raw.read(1) != nil {}
            }
        }
    }

    @Test func anUpgradeToSomethingElseIsAnsweredAndClosed() async throws {
        try await withServer(routes: Self.routes) { port, _ in
            try await RawConnection.open(port) { raw in
                try await raw.write("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n")
                let head = try await raw.readHead()
                #expect(head.hasPrefix("HTTP/1.1 200 ") && head.lowercased().contains("connection: close\r\n"))
                #expect(try await raw.read(5) == Array("hello".utf8))
                #expect(try await raw.isAtEnd())
            }
        }
    }

    @Test func aHandshakeWithoutAKeyIsTheRoutesToRefuse() async throws {
        try await withServer(routes: Self.routes) { port, _ in
            try await RawConnection.open(port) { raw in
                try await raw.write("GET /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
                #expect(try await raw.readHead().hasPrefix("HTTP/1.1 400 "))
            }
        }
    }

    @Test func theRestOfARefusedUploadIsNotAwaited() async throws {
        try await withServer(routes: Self.routes) { port, _ in
            try await RawConnection.open(port) { raw in
                try await raw.write("POST /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\nbegin")
                let head = try await raw.readHead()
                #expect(head.hasPrefix("HTTP/1.1 413 ") && head.lowercased().contains("connection: close\r\n"))
                while try await raw.read(1) != nil {}
            }
        }
    }

    @Test func idleConnectionsAreClosedButNotBusyOnes() async throws {
        var configuration = ServerChannelConfiguration()
        // Long enough that a busy machine does not let it pass before the first byte is sent.
        configuration.idleTimeout = .seconds(3)
        let routes: (Router<BasicRequestContext>) -> Void = { router in
            router.get("slow") { _, _ in
                try await Task.sleep(for: .seconds(7))
                return "slow"
            }
            router.get("echo", use: echo)
        }
        try await withServer(configuration, routes: routes) { port, _ in
            try await RawConnection.open(port) { raw in
                try await raw.write("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(try await raw.readHead().hasPrefix("HTTP/1.1 200 "))
                #expect(try await raw.read(4) == Array("slow".utf8))
                #expect(try await raw.isAtEnd())
            }
            // A session is no idle connection.
            try await RawConnection.open(port) { raw in
                _ = try await raw.upgrade()
                try await Task.sleep(for: .seconds(6))
                try await raw.writeFrame(0x81, [65])
                #expect(try await raw.readFrame()?.payload == [65])
            }
            // Half a head is not a request.
            try await RawConnection.open(port) { raw in
                try await raw.write("GET /slow HTTP/1.1\r\nHost:")
                #expect(try await raw.isAtEnd())
            }
        }
    }

    @Test func shutdownLetsARequestFinish() async throws {
        let begun = Signal()
        let go = Signal()
        let routes: (Router<BasicRequestContext>) -> Void = { router in
            router.get("slow") { _, _ in
                begun.send()
                await go.wait()
                return "done"
            }
        }
        try await withServer(routes: routes) { port, shutDown in
            try await RawConnection.open(port) { raw in
                try await raw.write("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
                await begun.wait()
                await shutDown()
                go.send()
                let head = try await raw.readHead()
                #expect(head.hasPrefix("HTTP/1.1 200 "))
                #expect(try await raw.read(4) == Array("done".utf8))
                #expect(try await raw.isAtEnd())
            }
        }
    }
}
