import HTTPTypes
import Hummingbird
import ServiceKit

/// A page for people: no scripts, nothing from elsewhere, nothing that a cache may keep.
struct Page: Sendable {
    let status: HTTPResponse.Status
    let title: String
    let body: HTML
    /// Whether other pages may show it in a frame.
    var mayBeFramed = false
    /// Where its form leads, redirects included; nil has no form.
    var formTargets: [String]?

    private static let style: HTML = """
        <style>body{font:1.05rem/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1.25rem;color:#1b1f24;background:#fff}\
        h1{font-size:1.4rem}a{color:#0b57c2}code{display:block;padding:.75rem;background:#eef1f4;overflow-wrap:anywhere;user-select:all}\
        button{font:inherit;padding:.4rem 1rem}:focus-visible{outline:3px solid;outline-offset:2px}\
        @media(prefers-color-scheme:dark){body{color:#e6e9ec;background:#14171a}code{background:#252a30}a{color:#8ab8ff}}</style>
        """

    static func document(title: String, body: HTML, end: HTML = "") -> HTML { .document(title: title, head: style, body: body, end: end) }

    var response: Response {
        var policy =
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action \(formTargets?.joined(separator: " ") ?? "'none'")"
        var headers: HTTPFields = [
            .contentType: "text/html; charset=utf-8", .cacheControl: "no-store", .xContentTypeOptions: "nosniff",
            .referrerPolicy: "no-referrer",
        ]
        if !mayBeFramed {
            policy += "; frame-ancestors 'none'"
            headers[.frameOptions] = "DENY"
        }
        headers[.contentSecurityPolicy] = policy
        return Response(
            status: status, headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(string: Self.document(title: title, body: body).text)))
    }
}
