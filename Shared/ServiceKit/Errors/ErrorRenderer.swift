import Foundation
import HTTPTypes
import Hummingbird

/// Gives an error the form that a service's contract wants (JSON, text, errno, OCI).
public protocol ErrorRenderer: Sendable {
    /// The answer; the responder adds the headers of the error and the service's own.
    func render(_ error: PlatformError) -> Response
}

/// The usual form: `{"error": "<text>"}`, with `"code"` when the error has one, or the error's own body.
public struct JSONErrors: ErrorRenderer {
    /// The renderer has no settings.
    public init() {}

    private struct Body: Encodable {
        let error: String
        let code: String?
    }

    public func render(_ error: PlatformError) -> Response {
        let body: any Encodable = error.body ?? Body(error: error.message, code: error.code)
        let data = (try? PlatformJSON.encoder().encode(body)) ?? Data(#"{"error": "Internal server error"}"#.utf8)
        return Response(
            status: error.status, headers: [.contentType: PlatformJSON.contentType], body: ResponseBody(byteBuffer: ByteBuffer(bytes: data))
        )
    }
}
