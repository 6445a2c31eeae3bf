public import HTTPTypes
public import HummingbirdCore
import NIOCore
import NIOPosix

extension Response {
    /// A file, or a part of it, sent by the kernel (in chunks where TLS is spoken, and where the file has threads of its own). The caller decides about ranges and HEAD: it gives the status and the fields that go with
    /// `range` (206, `Content-Range`, `ETag` …); this sets `Content-Length` alone.
    /// - Parameters:
    ///   - range: byte offsets in the file, absent: all of it. Must lie within the file.
    public static func file(
        _ file: OpenFile, range: Range<Int64>? = nil, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) -> Response {
        let range = (range ?? 0..<file.size).clamped(to: 0..<file.size)
        let body = ResponseBody(contentLength: range.count) { writer in
            if file.threads == nil, let connection = ServerConnection.current, !connection.isSecure {
                try await connection.send(file, range)
            } else {
                try await file.copy(range) { try await writer.write($0) }
            }
            try await writer.finish(nil)
        }
        return Response(status: status, headers: headers, body: body)
    }
}

/// A file became shorter while it was sent; the connection is closed, since the announced length cannot be kept.
struct FileTruncated: Error {}

extension ServerConnection {
    /// One system call's worth is asked for at a time: a disk that is slow holds up the event loop for that long only.
    private static let step: Int64 = 4 << 20

    func send(_ file: OpenFile, _ range: Range<Int64>) async throws {
        let channel = channel
        try await withTaskCancellationHandler {
            var offset = range.lowerBound
            while offset < range.upperBound {
                let end = min(range.upperBound, offset + Self.step)
                guard file.currentSize >= end else {
                    channel.close(promise: nil)
                    throw FileTruncated()
                }
                try await channel.triggerUserOutboundEvent(SendFile(file: file, range: offset..<end)).get()
                offset = end
            }
        } onCancel: {
            // A response cut short can only be told from a whole one by the end of its connection.
            channel.close(promise: nil)
        }
    }
}

extension OpenFile {
    /// The same in chunks, read on threads for blocking work: its own, or NIO's.
    func copy(_ range: Range<Int64>, _ write: (ByteBuffer) async throws -> Void) async throws {
        var offset = range.lowerBound
        while offset < range.upperBound {
            let chunk = offset..<min(range.upperBound, offset + (threads == nil ? 128 : 512) << 10)
            let bytes: ByteBuffer
            if let threads {
                bytes = try await threads.run { try self.read(chunk) }
            } else {
                bytes = try await NIOThreadPool.singleton.runIfActive { try self.read(chunk) }
            }
            try await write(bytes)
            offset = chunk.upperBound
        }
    }
}
