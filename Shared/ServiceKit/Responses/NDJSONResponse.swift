import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle

/// A stream of JSON documents, one a line (`application/x-ndjson`), written as fast as the client reads.
///
/// A failure after the first byte becomes a last line `{"error": "…"}`.
public struct NDJSONResponse<Elements: AsyncSequence & Sendable>: ResponseGenerator, Sendable where Elements.Element: Encodable & Sendable {
    private let elements: Elements
    private let follows: Bool
    private let lastLine: (any Encodable & Sendable)?

    /// A list: it ends with its elements, and a shutdown waits for it.
    public init(_ elements: Elements) {
        self.elements = elements
        follows = false
        lastLine = nil
    }

    /// A stream that has no end of its own: it ends when the client goes away, and with `lastLine` when the service shuts down.
    public init(following elements: Elements, lastLine: any Encodable & Sendable = ["error": "The service is stopping; ask again."]) {
        self.elements = elements
        follows = true
        self.lastLine = lastLine
    }

    public func response(from request: Request, context: some RequestContext) throws -> Response {
        var headers: HTTPFields = [.contentType: "application/x-ndjson"]
        // A proxy that buffers would hold lines back.
        headers[.accelBuffering] = "no"
        if follows { headers[.connection] = "close" }
        let logger = context.logger
        let body = ResponseBody { writer in
            if follows {
                try await request.body.consumeWithCancellationOnInboundClose { _ in
                    try await write(elements.cancelOnGracefulShutdown(), batch: 1, to: &writer, logger: logger)
                    if Task.isShuttingDownGracefully, let lastLine { try await writer.write(NDJSONLine.encode(lastLine)) }
                }
            } else {
                try await write(elements, batch: 16 << 10, to: &writer, logger: logger)
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }

    private func write<S: AsyncSequence>(_ elements: S, batch: Int, to writer: inout any ResponseBodyWriter, logger: Logger) async throws
    where S.Element: Encodable {
        var buffer = ByteBuffer()
        do {
            for try await element in elements {
                var line = try NDJSONLine.encode(element)
                buffer.writeBuffer(&line)
                if buffer.readableBytes >= batch {
                    try await writer.write(buffer)
                    buffer.clear()
                }
            }
        } catch let error where !(error is CancellationError) && !(error is ChannelError) {
            let (answer, log) = ErrorMapping.answer(error)
            if log { logger.error("A stream broke off", metadata: ["error": "\(error)"]) }
            buffer.writeImmutableBuffer(try NDJSONLine.encode(["error": answer.message]))
        }
        if buffer.readableBytes > 0 { try await writer.write(buffer) }
    }
}
