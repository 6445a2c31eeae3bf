import HTTPTypes
import Hummingbird
import ServiceKit

/// The errors of this API: JSON, except for a plain 401; repeated in `X-Error`, because a client cannot read the body of a refused handshake.
struct MonitoringErrors: ErrorRenderer {
    static let header = HTTPField.Name("X-Error")
    private static let limit = 4096

    func render(_ error: PlatformError) -> Response {
        var response: Response
        var text: String
        if error.status == .unauthorized {
            text = "401: Unauthorized"
            response = Response(
                status: .unauthorized, headers: [.contentType: "text/plain; charset=utf-8"],
                body: .init(byteBuffer: ByteBuffer(string: text)))
        } else {
            response = JSONErrors().render(error)
            text = #"{"error": \#(ASCIIJSON.string(error.message))}"#
            if let body = error.body, let data = try? PlatformJSON.encoder().encode(body) { text = String(decoding: data, as: UTF8.self) }
        }
        if let header = Self.header, text.utf8.count <= Self.limit, text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) {
            response.headers[header] = text
        }
        return response
    }
}
