import HTTPTypes
import Hummingbird
import NIOCore
import NIOPosix
import NIOSSL
import Testing

@testable import WebSocket

@Suite(.timeLimit(.minutes(5)))
struct ClientTests {
    private static func routes(_ router: Router<BasicRequestContext>) {
        router.get("echo", use: echo)
        router.get("guarded") { request, context -> Response in
            guard request.headers[.authorization] == "Bearer secret" else {
                throw HTTPError(.unauthorized, headers: [.wwwAuthenticate: "Bearer"], message: "who are you?")
            }
            return try echo(request, context)
        }
        router.get("sulks") { _, _ -> String in
            try await Task.sleep(for: .seconds(5))
            return ""
        }
    }

    private func roundTrip(_ url: String, headers: HTTPFields = [:], tls: TLSConfiguration? = nil) async throws -> WebSocketMessage? {
        try await WebSocketClient.connect(url: url, headers: headers, tls: tls) { session, _ in
            try await session.send(text: "hello")
            var replies = session.inbound.makeAsyncIterator()
            return try await replies.next()
        }
    }

    @Test func aRefusalTellsStatusHeadersAndBody() async throws {
        try await withServer(routes: Self.routes) { port, _ in
            let url = "ws://127.0.0.1:\(port)/guarded"
            let refusal = await #expect(throws: WebSocketHandshakeRefused.self) { try await roundTrip(url) }
            #expect(refusal?.status == 401)
            #expect(refusal?.headers[.wwwAuthenticate] == "Bearer")
            #expect(refusal.map { String(buffer: $0.body) }?.contains("who are you?") == true)
            let reply = try await roundTrip(url, headers: [.authorization: "Bearer secret"])
            #expect(reply == .text("hello"))
        }
    }

    @Test func theHandshakeHasATimeLimit() async throws {
        try await withServer(routes: Self.routes) { port, shutDown in
            await #expect(throws: WebSocketError.handshakeTimedOut) {
                try await WebSocketClient.connect(url: "ws://127.0.0.1:\(port)/sulks", timeout: .milliseconds(200)) { _, _ in }
            }
        }
        await #expect(throws: (any Error).self) {
            try await WebSocketClient.connect(url: "ws://127.0.0.1:1/", timeout: .seconds(5)) { _, _ in }
        }
    }

    @Test func tlsWithOwnAuthorityAndClientCertificate() async throws {
        let authority = try NIOSSLCertificate.fromPEMBytes(Array(TestCertificates.authority.utf8))
        var server = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(TestCertificates.server.utf8)).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(TestCertificates.serverKey.utf8), format: .pem)))
        server.trustRoots = .certificates(authority)
        server.certificateVerification = .noHostnameVerification
        var client = TLSConfiguration.makeClientConfiguration()
        client.trustRoots = .certificates(authority)
        let anonymous = client
        client.certificateChain = try NIOSSLCertificate.fromPEMBytes(Array(TestCertificates.client.utf8)).map { .certificate($0) }
        client.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: Array(TestCertificates.clientKey.utf8), format: .pem))
        let trusted = client

        try await withServer(tls: server, routes: Self.routes) { port, _ in
            for host in ["wss://127.0.0.1", "https://localhost"] {
                let reply = try await roundTrip("\(host):\(port)/echo", tls: trusted)
                #expect(reply == .text("hello"))
            }
            // Without a client certificate, and without trust in the server.
            await #expect(throws: (any Error).self) { try await roundTrip("wss://127.0.0.1:\(port)/echo", tls: anonymous) }
            await #expect(throws: (any Error).self) { try await roundTrip("wss://127.0.0.1:\(port)/echo") }
        }
    }

    @Test func aLostConnectionIsAnError() async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel) }
            }
        let port = server.channel.localAddress?.port ?? 0
        async let served: Void = server.executeThenClose { clients in
            for try await client in clients {
                try await client.executeThenClose { inbound, outbound in
                    var request = ""
                    for try await part in inbound {
                        request += String(buffer: part)
                        guard request.hasSuffix("\r\n\r\n") else { continue }
                        let key = request.split(separator: "\r\n").first { $0.lowercased().hasPrefix("sec-websocket-key: ") }?.dropFirst(19)
                        try await outbound.write(
                            ByteBuffer(
                                string:
                                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
                                    + WebSocketUpgrade.acceptance(of: String(key ?? "")) + "\r\n\r\n\u{1}\u{2}hi"))
                        break
                    }
                }
                break
            }
        }
        // One fragment of a message, then nothing.
        await #expect(throws: WebSocketError.connectionLost) {
            try await WebSocketClient.connect(url: "ws://127.0.0.1:\(port)/") { session, _ in
                for try await _ in session.inbound {}
            }
        }
        try await served
    }

    @Test func addressesAreParsed() throws {
        let address = try WebSocketURL("wss://[::1]:6443/api/v1/x%2Fy?a=b%20c#d")
        #expect(address.host == "::1" && address.port == 6443 && address.isSecure)
        #expect(address.authority == "[::1]:6443" && address.target == "/api/v1/x%2Fy?a=b%20c")
        #expect(try WebSocketURL("http://host?x=1").target == "/?x=1")
        for text in ["host/path", "ftp://host/", "ws:///path", "ws://host:0/", "ws://host:x/", "ws://host/a b"] {
            #expect(throws: WebSocketError.invalidURL(text)) { try WebSocketURL(text) }
        }
    }
}
