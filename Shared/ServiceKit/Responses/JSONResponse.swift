import HTTPTypes
import Hummingbird
import NIOCore

/// A JSON answer, as ``PlatformJSON`` writes it.
public struct JSONResponse<T: Encodable>: ResponseGenerator {
    /// What is encoded.
    public var value: T
    /// The status.
    public var status: HTTPResponse.Status
    /// More headers.
    public var headers: HTTPFields

    /// Makes an answer.
    public init(_ value: T, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) {
        self.value = value
        self.status = status
        self.headers = headers
    }

    public func response(from request: Request, context: some RequestContext) throws -> Response {
        var headers = headers
        headers[.contentType] = PlatformJSON.contentType
        return Response(
            status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: try PlatformJSON.encoder().encode(value))))
    }
}
