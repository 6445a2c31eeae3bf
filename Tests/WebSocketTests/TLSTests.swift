import AsyncHTTPClient
import Crypto
import Foundation
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Testing

@testable import WebSocket

/// The server channel with a certificate of its own.
@Suite(.timeLimit(.minutes(5)))
struct TLSTests {
    /// A folder with the two files.
    private struct Files {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        var certificate: String { folder.appendingPathComponent("tls.crt").path }
        var key: String { folder.appendingPathComponent("tls.key").path }

        init(_ pair: (certificate: String, key: String)) throws {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try write(pair)
        }

        func write(_ pair: (certificate: String, key: String)) throws {
            try Data(pair.certificate.utf8).write(to: URL(fileURLWithPath: certificate), options: .atomic)
            try Data(pair.key.utf8).write(to: URL(fileURLWithPath: key), options: .atomic)
        }

        func configuration() throws -> ServerChannelConfiguration {
            var configuration = ServerChannelConfiguration()
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            configuration.certificate = try ServerCertificate(certificate: certificate, key: key, logger: logger)
            return configuration
        }
    }

    private static let server = (certificate: TestCertificates.server, key: TestCertificates.serverKey)
    private static let other = (certificate: TestCertificates.client, key: TestCertificates.clientKey)

    private static func trusting() throws -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(TestCertificates.authority.utf8)))
        return tls
    }

    /// Runs `body` with a client that trusts the tests' authority.
    private static func withClient(_ body: (HTTPClient) async throws -> Void) async throws {
        var configuration = HTTPClient.Configuration()
        configuration.tlsConfiguration = try trusting()
        let client = HTTPClient(configuration: configuration)
        do { try await body(client) } catch {
            try await client.shutdown()
            throw error
        }
        try await client.shutdown()
    }

    @Test func requestsSessionsAndFiles() async throws {
        let files = try Files(Self.server)
        let path = files.folder.appendingPathComponent("file").path
        let content = Data((0..<1_000_003).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) })
        try content.write(to: URL(fileURLWithPath: path))
        try await withServer(files.configuration()) { router in
            router.get("hello") { request, _ in "hello \(request.head.scheme ?? "-")" }
            router.get("file") { _, _ in Response.file(try OpenFile(path: path)) }
            router.get("echo", use: echo)
        } _: { port, _ in
            try await Self.withClient { client in
                for _ in 0..<2 {
                    let response = try await client.execute(
                        HTTPClientRequest(url: "https://localhost:\(port)/hello"), timeout: .seconds(10))
                    #expect(response.version == .http1_1)
                    #expect(String(buffer: try await response.body.collect(upTo: 1000)) == "hello https")
                }
                // The kernel cannot encrypt: the file goes through the process, whole.
                let response = try await client.execute(HTTPClientRequest(url: "https://127.0.0.1:\(port)/file"), timeout: .seconds(30))
                let body = try await response.body.collect(upTo: 10_000_000)
                #expect(SHA256.hash(data: Data(body.readableBytesView)) == SHA256.hash(data: content))
            }
            let trusting = try Self.trusting()
            let reply = try await WebSocketClient.connect(url: "wss://127.0.0.1:\(port)/echo", tls: trusting) { session, _ in
                try await session.send(ByteBuffer(repeating: 7, count: 900_000))
                var inbound = session.inbound.makeAsyncIterator()
                return try await inbound.next()
            }
            #expect(reply == .binary(ByteBuffer(repeating: 7, count: 900_000)))
            // Who does not speak TLS gets no answer in clear text, and does no harm.
            await #expect(throws: (any Error).self) {
                try await HTTPClient.shared.execute(HTTPClientRequest(url: "http://127.0.0.1:\(port)/hello"), timeout: .seconds(10))
            }
        }
    }

    /// The certificate that a new connection is shown, in PEM.
    private static func shown(_ port: Int) async throws -> String? {
        let context = try NIOSSLContext(configuration: .makeClientConfiguration())
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let certificate = loop.makePromise(of: [UInt8].self)
        let channel = try await ClientBootstrap(group: loop).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                let handler = try NIOSSLClientHandler(
                    context: context, serverHostname: nil,
                    customVerificationCallback: { chain, verdict in
                        certificate.completeWith(Result { try chain.first?.toDERBytes() ?? [] })
                        verdict.succeed(.certificateVerified)
                    })
                try channel.pipeline.syncOperations.addHandler(handler)
            }
        }.connect(host: "127.0.0.1", port: port).get()
        channel.closeFuture.whenComplete { _ in certificate.fail(ChannelError.eof) }
        let bytes = try await certificate.futureResult.get()
        try? await channel.close()
        return try [server, other].map(\.certificate).first {
            try NIOSSLCertificate.fromPEMBytes(Array($0.utf8)).first?.toDERBytes() == bytes
        }
    }

    @Test func renewedFilesAreShownWithoutARestart() async throws {
        let files = try Files(Self.server)
        try await withServer(files.configuration()) { router in
            router.get("hello") { _, _ in "hello" }
        } _: { port, _ in
            #expect(try await Self.shown(port) == Self.server.certificate)
            // Half of a renewal, and something that is no certificate: the old pair stays.
            try Data(Self.other.certificate.utf8).write(to: URL(fileURLWithPath: files.certificate), options: .atomic)
            #expect(try await Self.shown(port) == Self.server.certificate)
            try Data(Self.other.key.utf8).write(to: URL(fileURLWithPath: files.key), options: .atomic)
            #expect(try await Self.shown(port) == Self.other.certificate)
            try Data("nonsense".utf8).write(to: URL(fileURLWithPath: files.key), options: .atomic)
            #expect(try await Self.shown(port) == Self.other.certificate)
        }
    }

    @Test func whatDoesNotFitTogetherIsRefusedAtTheStart() throws {
        #expect(throws: (any Error).self) { try Files((Self.server.certificate, Self.other.key)).configuration() }
        #expect(throws: (any Error).self) { try Files(("nothing", Self.other.key)).configuration() }
        #expect(throws: (any Error).self) {
            try ServerCertificate(certificate: "/nowhere.crt", key: "/nowhere.key", logger: Logger(label: "test"))
        }
    }
}
