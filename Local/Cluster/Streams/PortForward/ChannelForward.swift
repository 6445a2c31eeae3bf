import NIOCore
import WebSocket

/// Port-forward in the channels of a WebSocket: for the port at place n, channel 2n carries its data and channel 2n+1 what went wrong. Each
/// begins with the port's number, little end first. There is one connection for each port, opened at once.
struct ChannelForward: Sendable {
    let ports: [UInt16]
    let forwarder: PortForwarder

    private struct Stream: ForwardedStream {
        let channel: UInt8
        let format: ChannelProtocol
        let input: BytePipe
        let client: WebSocketSession

        var canFinish: Bool { format.version == .fifth }
        func read() async -> ByteBuffer? { await input.read() }
        func write(_ bytes: ByteBuffer) async throws { try await client.send(format.message(channel, bytes)) }
        func finish() async throws {
            guard canFinish else { return }
            try await client.send(format.message(CommandChannel.close, ByteBuffer(bytes: [channel])))
        }
    }

    func run(_ client: WebSocketSession, _ format: ChannelProtocol) async throws {
        let streams = ports.indices.map { place in
            Stream(channel: UInt8(place * 2), format: format, input: BytePipe(), client: client)
        }
        for (port, stream) in zip(ports, streams) {
            let number = ByteBuffer(integer: port, endianness: .little)
            try await client.send(format.message(stream.channel, number))
            try await client.send(format.message(stream.channel + 1, number))
        }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                do {
                    for try await message in client.inbound {
                        guard let (channel, bytes) = format.read(message) else { continue }
                        if channel == CommandChannel.close, format.version == .fifth {
                            for stream in streams where bytes.readableBytesView.first == stream.channel { stream.input.finish() }
                        } else if let stream = streams.first(where: { $0.channel == channel }) {
                            await stream.input.write(bytes)
                        }
                    }
                } catch is WebSocketError {
                    // Lost is gone as well.
                }
                return true
            }
            for (port, stream) in zip(ports, streams) {
                group.addTask {
                    let fault = await forwarder.run(port, stream)
                    if let fault, !Task.isCancelled {
                        try await client.send(format.message(stream.channel + 1, ByteBuffer(string: fault)))
                    }
                    stream.input.close()
                    return false
                }
            }
            defer {
                group.cancelAll()
                for stream in streams { stream.input.close() }
            }
            var open = streams.count
            do {
                while open > 0, let clientIsGone = try await group.next() {
                    if clientIsGone { return }
                    open -= 1
                }
            } catch is WebSocketError {
                return
            }
        }
    }
}
