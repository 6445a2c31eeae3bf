import Hummingbird
import Kubernetes
import Logging
import ServiceKit
import ServiceLifecycle

/// A watch as a stream of JSON documents, one a line.
struct WatchResponse: Sendable {
    let sequence: WatchSequence
    let kind: ResourceKind
    let form: AnswerForm
    let includeObject: String?
    let timeout: Duration
    let faults: FaultInjector

    func response(to request: Request, context: PlatformContext) -> Response {
        var headers = Answer.contentType
        // The connection is given up with the stream: its end is how the stream learns that the client has gone.
        headers[.connection] = "close"
        let body = ResponseBody { writer in
            let id = faults.opened(request, end: sequence.end, channel: context.channel)
            defer { faults.closed(id) }
            try await request.body.consumeWithCancellationOnInboundClose { _ in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { [sequence, timeout] in
                        try await Task.sleep(for: timeout)
                        sequence.end()
                    }
                    try await write(to: &writer)
                    group.cancelAll()
                }
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }

    private func write(to writer: inout any ResponseBodyWriter) async throws {
        var piece: [UInt8] = []
        var rows = Table.Rows(kind: kind, include: includeObject)
        for change in sequence.present {
            line(change, &rows, to: &piece)
            if piece.count > 64 << 10 {
                try await writer.write(ByteBuffer(bytes: piece))
                piece.removeAll(keepingCapacity: true)
            }
        }
        if !piece.isEmpty { try await writer.write(ByteBuffer(bytes: piece)) }
        do {
            for try await change in sequence.changes.cancelOnGracefulShutdown() {
                piece.removeAll(keepingCapacity: true)
                line(change, &rows, to: &piece)
                try await writer.write(ByteBuffer(bytes: piece))
            }
        } catch let error as StatusError {
            try await writer.write(WatchResponse.error(error))
        }
    }

    private func line(_ change: WatchChange, _ rows: inout Table.Rows, to piece: inout [UInt8]) {
        var object = change.object
        if change.kind != .bookmark { object = kind.shown(object) }
        switch form {
        case .plain: break
        case .metadata: object = AnswerForm.metadata(of: object)
        // A bookmark has no row, and its version must be found at the usual place.
        case .table: object = change.kind == .bookmark ? Table.bookmark(object) : rows.table(object)
        }
        piece.append(contentsOf: "{\"type\":\"\(change.kind.rawValue)\",\"object\":".utf8)
        JSONWriter.write(object, to: &piece)
        piece.append(contentsOf: "}\n".utf8)
    }

    /// The last line of a stream that cannot go on.
    private static func error(_ error: StatusError) -> ByteBuffer {
        ByteBuffer(bytes: JSONWriter.bytes(["type": "ERROR", "object": error.object]) + [UInt8(ascii: "\n")])
    }

    /// A stream that tells but that it cannot be.
    static func refused(_ error: StatusError) -> Response {
        Response(status: .ok, headers: Answer.contentType, body: .init(byteBuffer: self.error(error)))
    }
}
