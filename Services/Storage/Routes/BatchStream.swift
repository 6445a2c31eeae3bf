import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ServiceKit

/// An answer that is made batch by batch as fast as the client reads. The first one is there before the answer begins, so that what fails at
/// once is an ordinary refusal.
struct BatchStream: Sendable {
    /// How a failure is told when part of the answer has gone out.
    enum Failure: Sendable {
        /// As a last object.
        case told
        /// By the end of the connection: there is no place for it.
        case broken
    }

    let contentType: String
    let failure: Failure
    let logger: Logger

    static let lines = "application/x-ndjson"

    /// - Parameter next: one more batch each time; nil at the end.
    func response(
        first: ByteBuffer?, next: @escaping @Sendable () async throws -> ByteBuffer?
    ) -> Response {
        var headers: HTTPFields = [.contentType: contentType]
        // A proxy that buffers would hold lines back.
        headers[.buffering] = "no"
        let body = ResponseBody { [self] writer in
            var batch = first
            do {
                while let bytes = batch {
                    // Fails once the client is gone, and so ends the work.
                    if bytes.readableBytes > 0 { try await writer.write(bytes) }
                    batch = try await next()
                }
            } catch let error as FileFailure where failure == .told {
                try await writer.write(Self.object(error.text, error.name))
            } catch let error as PlatformError where failure == .told {
                try await writer.write(Self.object(error.message, error.code))
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }

    private static func object(_ text: String, _ name: String?) -> ByteBuffer {
        var buffer = ByteBuffer(string: "{\"error\": ")
        JSONText.write(text.utf8, to: &buffer)
        buffer.writeString(", \"errno\": ")
        if let name { JSONText.write(name.utf8, to: &buffer) } else { buffer.writeString("null") }
        buffer.writeString("}")
        return buffer
    }
}
