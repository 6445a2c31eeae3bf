import Kubernetes
import NIOCore
import WebSocket

/// Port-forward as kubectl does it from 1.31 on: a whole SPDY/3.1 connection in the binary messages of a WebSocket. For each connection the
/// client opens two streams that name the port and a number of the request: one for data, one for what goes wrong.
struct TunnelForward: Sendable {
    static let subprotocol = "SPDY/3.1+portforward.k8s.io"
    /// How long the second stream of a pair is waited for.
    static let pairLimit = Duration.seconds(30)

    let forwarder: PortForwarder

    private struct Pair {
        let port: UInt16
        let begun = ContinuousClock.now
        var data: SPDYStream?
        var error: SPDYStream?
    }

    /// What a stream says of itself.
    private struct Purpose {
        let port: UInt16
        let isData: Bool
        let request: String

        init?(_ stream: SPDYStream) {
            guard let port = stream.header("port").flatMap({ UInt16($0) }), port > 0, let type = stream.header("streamtype"),
                ["data", "error"].contains(type)
            else { return nil }
            self.port = port
            isData = type == "data"
            // Clients older than the request's number open the error stream right before the data stream.
            request = stream.header("requestid") ?? "stream \(isData ? stream.id &- 2 : stream.id)"
        }
    }

    func run(_ client: WebSocketSession) async throws {
        var server = try SPDYServer(send: { try await client.send($0) })
        var pairs: [String: Pair] = [:]
        defer { server.close() }
        try await withThrowingDiscardingTaskGroup { group in
            defer { group.cancelAll() }
            do {
                for try await message in client.inbound {
                    guard case .binary(let bytes) = message else { throw SPDYError("a text message in a tunnel") }
                    server.append(bytes)
                    while let event = try await server.next() {
                        guard case .opened(let stream) = event else { continue }
                        guard let purpose = Purpose(stream) else {
                            try await server.refuse(stream)
                            continue
                        }
                        try await server.accept(stream)
                        if let pair = add(stream, purpose, to: &pairs), let data = pair.data, let error = pair.error {
                            group.addTask { await forward(pair.port, data, error) }
                        }
                    }
                }
            } catch is WebSocketError {
                // Gone is gone.
            }
        }
    }

    /// - Returns: the pair that is complete now.
    private func add(_ stream: SPDYStream, _ purpose: Purpose, to pairs: inout [String: Pair]) -> Pair? {
        for (request, pair) in pairs where pair.begun.duration(to: .now) > Self.pairLimit || pair.data?.isOver ?? pair.error?.isOver ?? true
        {
            pair.data?.close()
            pair.error?.close()
            pairs[request] = nil
        }
        var pair = pairs[purpose.request] ?? Pair(port: purpose.port)
        if purpose.isData {
            pair.data = stream
        } else {
            pair.error = stream
            // The client says nothing on it.
            stream.input.close()
        }
        let isComplete = pair.data != nil && pair.error != nil
        pairs[purpose.request] = isComplete ? nil : pair
        return isComplete ? pair : nil
    }

    private func forward(_ port: UInt16, _ data: SPDYStream, _ error: SPDYStream) async {
        let fault = await withTaskGroup(of: String?.self) { group in
            group.addTask { await forwarder.run(port, data) }
            group.addTask {
                await data.untilOver()
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
        // Clients wait for the end of both streams; whoever has gone needs neither.
        if let fault { try? await error.write(ByteBuffer(string: fault)) }
        try? await error.finish()
        try? await data.finish()
        data.close()
        error.close()
    }
}
