import Kubernetes
import NIOCore
import WebSocket

/// Carries the streams between a client's WebSocket and a hijacked connection to podman until either ends.
struct CommandBridge: Sendable {
    /// Who went first.
    enum Outcome: Sendable, Equatable {
        /// The process closed its streams; what it said is with the client.
        case ended
        case clientGone
    }

    let connection: HijackedConnection
    let request: ByteBuffer
    let streams: CommandStreams
    /// The process has a terminal: its output comes without frames.
    let isRaw: Bool
    let format: ChannelProtocol
    /// Tells the terminal's size.
    let resize: @Sendable (_ columns: Int, _ rows: Int) async -> Void
    /// Sees each piece of output first; true keeps it from the client.
    var intercept: @Sendable (OutputFrames.Stream, ByteBuffer) -> Bool = { _, _ in false }

    /// - Throws: ``EngineError`` when podman refuses; errors of the connection to podman.
    func run(_ client: WebSocketSession) async throws -> Outcome {
        let (opened, open) = AsyncStream.makeStream(of: Void.self)
        return try await connection.channel.executeThenClose { inbound, outbound in
            try await withThrowingTaskGroup(of: Outcome.self) { group in
                group.addTask {
                    defer { open.finish() }
                    try await outbound.write(request)
                    var bytes = inbound.makeAsyncIterator()
                    let rest = try await HijackedConnection.answer(&bytes)
                    open.yield()
                    do {
                        try await carryOutput(rest, &bytes, to: client)
                        return .ended
                    } catch is WebSocketError {
                        return .clientGone
                    }
                }
                group.addTask {
                    var isOpen = opened.makeAsyncIterator()
                    // Refused: the other task tells why.
                    guard await isOpen.next() != nil else { return await Self.never() }
                    return try await carryInput(client, to: outbound)
                }
                defer { group.cancelAll() }
                return try await group.next() ?? .ended
            }
        }
    }

    private func carryOutput(
        _ first: ByteBuffer, _ bytes: inout NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator, to client: WebSocketSession
    ) async throws {
        // An empty piece says that the session stands.
        let lowest = streams.stdout ? CommandChannel.stdout : streams.stderr ? CommandChannel.stderr : CommandChannel.error
        try await client.send(format.message(lowest, ByteBuffer()))
        var frames = OutputFrames()
        var piece: ByteBuffer? = first
        while let bytesNow = piece {
            if isRaw {
                if bytesNow.readableBytes > 0 { try await send(.stdout, bytesNow, to: client) }
            } else {
                frames.append(bytesNow)
                while let (stream, part) = try frames.next() { try await send(stream, part, to: client) }
            }
            piece = try await bytes.next()
        }
    }

    private func send(_ stream: OutputFrames.Stream, _ bytes: ByteBuffer, to client: WebSocketSession) async throws {
        guard !intercept(stream, bytes) else { return }
        switch stream {
        case .stderr: if streams.stderr { try await client.send(format.message(CommandChannel.stderr, bytes)) }
        case .stdout, .stdin: if streams.stdout { try await client.send(format.message(CommandChannel.stdout, bytes)) }
        }
    }

    /// Ends when the client has gone. A process that takes no more input goes on.
    private func carryInput(_ client: WebSocketSession, to outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>) async throws -> Outcome {
        var takesInput = streams.stdin
        do {
            for try await message in client.inbound {
                guard let (channel, bytes) = format.read(message) else { continue }
                switch channel {
                case CommandChannel.stdin where takesInput:
                    guard bytes.readableBytes > 0 else { break }
                    do { try await outbound.write(bytes) } catch { takesInput = false }
                case CommandChannel.resize:
                    if let size = Self.size(bytes) { await resize(size.columns, size.rows) }
                case CommandChannel.close where format.version == .fifth:
                    if takesInput, bytes.readableBytesView.first == CommandChannel.stdin {
                        takesInput = false
                        outbound.finish()
                    }
                default: break
                }
            }
        } catch is WebSocketError {
            return .clientGone
        }
        return Task.isCancelled ? await Self.never() : .clientGone
    }

    /// `{"Width":80,"Height":24}`
    static func size(_ bytes: ByteBuffer) -> (columns: Int, rows: Int)? {
        guard let value = try? JSONParser.parse(bytes.readableBytesView), let columns = value["Width"]?.integer,
            let rows = value["Height"]?.integer, 1...65535 ~= columns, 1...65535 ~= rows
        else { return nil }
        return (Int(columns), Int(rows))
    }

    /// Waits for the cancellation: another task has the word.
    private static func never() async -> Outcome {
        try? await Task.sleep(for: .seconds(86_400 * 365))
        return .clientGone
    }
}
