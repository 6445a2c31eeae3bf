import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// Speaks podman's part on a Unix socket: exec sessions whose program is an echo (or nothing), attach, inspect, resize. What it does is what
/// podman 4.3 was seen to do.
final class ScriptedPodman: Sendable {
    struct Script: Sendable {
        var exitCode = 0
        var isRaw = false
        /// Said at once, as stderr.
        var complaint = ""
        /// Ends without waiting for input.
        var isShort = false
    }

    let socket: String
    private let channel: any Channel
    private let requests = Mutex<[String]>([])
    private let changes: AsyncStream<String>
    private let change: AsyncStream<String>.Continuation

    /// What was asked, in order, as `POST /path?query`.
    var asked: [String] { requests.withLock { $0 } }

    private init(_ socket: String, _ channel: any Channel, _ changes: (AsyncStream<String>, AsyncStream<String>.Continuation)) {
        self.socket = socket
        self.channel = channel
        (self.changes, change) = changes
    }

    /// Waits until something with this in it has been asked.
    func wasAsked(_ part: String) async -> Bool {
        for await asked in changes where asked.contains(part) { return true }
        return false
    }

    static func with<T: Sendable>(_ script: Script = Script(), _ body: @Sendable (ScriptedPodman) async throws -> T) async throws -> T {
        let socket = "/tmp/podman-\(UUID().uuidString.prefix(12)).sock"
        defer { try? FileManager.default.removeItem(atPath: socket) }
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .bind(unixDomainSocketPath: socket) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
                }
            }
        let podman = ScriptedPodman(socket, server.channel, AsyncStream.makeStream(of: String.self))
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await server.executeThenClose { clients in
                    try await withThrowingDiscardingTaskGroup { group in
                        for try await client in clients {
                            group.addTask { try? await podman.serve(client, script) }
                        }
                    }
                }
            }
            defer { group.cancelAll() }
            return try await body(podman)
        }
    }

    private func serve(_ client: NIOAsyncChannel<ByteBuffer, ByteBuffer>, _ script: Script) async throws {
        try await client.executeThenClose { inbound, outbound in
            var bytes = inbound.makeAsyncIterator()
            var received = ByteBuffer()
            while let more = try await bytes.next() {
                received.writeImmutableBuffer(more)
                let text = String(buffer: received)
                guard let end = text.range(of: "\r\n\r\n") else { continue }
                let head = text[..<end.lowerBound]
                let length =
                    head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
                    .flatMap { Int($0.split(separator: ":")[1].trimmingCharacters(in: .whitespaces)) } ?? 0
                guard text[end.upperBound...].utf8.count >= length else { continue }
                received.clear()
                let line = head.prefix { $0 != "\r\n" }.split(separator: " ")
                let asked = "\(line[0]) \(line[1].replacingOccurrences(of: "/v4.0.0/libpod", with: ""))"
                requests.withLock { $0.append(asked + (length > 0 ? " " + text[end.upperBound...] : "")) }
                change.yield(asked)
                if asked.contains("/start") || asked.contains("/attach") {
                    try await hijack(&bytes, outbound, client.channel, script)
                    // Closing at once would take with it what is still to be written.
                    return try await client.channel.closeFuture.get()
                }
                let (status, answer) = Self.answer(asked, script)
                try await outbound.write(
                    ByteBuffer(string: "HTTP/1.1 \(status) x\r\nContent-Length: \(answer.utf8.count)\r\n\r\n\(answer)"))
            }
        }
    }

    private static func answer(_ asked: String, _ script: Script) -> (Int, String) {
        if asked.contains("/containers/gone/") {
            return (409, #"{"cause":"not running","message":"can only create exec sessions on running containers","response":409}"#)
        }
        if asked.hasSuffix("/exec") { return (201, #"{"Id":"session"}"#) }
        if asked.contains("/exec/session/json") { return (200, #"{"Running":false,"ExitCode":\#(script.exitCode),"Pid":0}"#) }
        if asked.contains("/resize") { return (201, "{}") }
        return (404, #"{"cause":"no such container","message":"no such container","response":404}"#)
    }

    /// Echoes until the input ends.
    private func hijack(
        _ bytes: inout NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator, _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>,
        _ channel: any Channel, _ script: Script
    ) async throws {
        // The first output comes in one breath with the answer.
        var answer = ByteBuffer(
            string:
                "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
        if !script.complaint.isEmpty { answer.writeImmutableBuffer(Self.frame(2, ByteBuffer(string: script.complaint), script)) }
        try await channel.writeAndFlush(answer)
        if !script.isShort {
            // Each piece is out before the end: NIO closes at once when both sides have ended, and drops what waits.
            while let more = try await bytes.next() { try await channel.writeAndFlush(Self.frame(1, more, script)) }
            change.yield("end of input")
        }
        outbound.finish()
    }

    private static func frame(_ stream: UInt8, _ bytes: ByteBuffer, _ script: Script) -> ByteBuffer {
        guard !script.isRaw else { return bytes }
        var frame = ByteBuffer(bytes: [stream, 0, 0, 0])
        frame.writeInteger(UInt32(bytes.readableBytes))
        frame.writeImmutableBuffer(bytes)
        return frame
    }
}
