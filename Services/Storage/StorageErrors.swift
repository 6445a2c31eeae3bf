import HTTPTypes
import Hummingbird
import ServiceKit

/// The errors of this API (storage.md 10): `{"error": …, "errno": …}` where the client makes an error of its own of them, plain text elsewhere.
struct StorageErrors: ErrorRenderer {
    private struct Body: Encodable {
        let error: String
        let errno: String?
    }

    func render(_ error: PlatformError) -> Response {
        if let answer = error.body as? PlainAnswer { return Self.text(error.status, answer.reason) }
        if error.body == nil, error.code == nil, [401, 403, 404, 405].contains(error.status.code) {
            return Self.text(error.status, error.status.reasonPhrase)
        }
        return JSONErrors().render(
            PlatformError(error.status, error.message, body: error.body ?? Body(error: error.message, errno: error.code)))
    }

    /// `404: Not Found`
    static func text(_ status: HTTPResponse.Status, _ reason: String) -> Response {
        Response(
            status: status, headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: "\(status.code): \(reason)")))
    }
}

/// A refusal whose text is `<code>: <reason>`, with that reason in the status line too.
struct PlainAnswer: Encodable, Sendable {
    let reason: String
}

extension PlatformError {
    static func plain(_ code: Int, _ reason: String) -> PlatformError {
        PlatformError(.init(code: code, reasonPhrase: reason), reason, body: PlainAnswer(reason: reason))
    }
}
