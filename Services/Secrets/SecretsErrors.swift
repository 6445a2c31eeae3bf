import Hummingbird
import ServiceKit

/// The errors of this API: JSON for what its rules refuse, plain text for what the protocol refuses.
struct SecretsErrors: ErrorRenderer {
    func render(_ error: PlatformError) -> Response {
        guard error.body == nil, let text = Self.text(error.status.code) else { return JSONErrors().render(error) }
        return Response(
            status: error.status, headers: [.contentType: "text/plain; charset=utf-8"], body: .init(byteBuffer: ByteBuffer(string: text)))
    }

    private static func text(_ status: Int) -> String? {
        switch status {
        case 401: "401: Unauthorized"
        case 404: "404: Not Found"
        case 405: "405: Method Not Allowed"
        case 413: "Maximum request body size \(SecretRoutes.bodyLimit) exceeded."
        default: nil
        }
    }
}
