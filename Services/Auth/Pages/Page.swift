import HTTPTypes
import Hummingbird
import NIOCore
import ServiceKit

/// A page of sign-in: no scripts, nothing from elsewhere, in nobody's frame, kept by no cache.
struct Page: Sendable {
    let title: String
    let body: HTML
    var status: HTTPResponse.Status = .ok
    var headers: HTTPFields = [:]

    func response(cookies: [String] = []) -> Response {
        var headers = headers
        headers[.contentType] = "text/html; charset=utf-8"
        headers.secure()
        for cookie in cookies { headers.append(HTTPField(name: .setCookie, value: cookie)) }
        let page = HTML.document(
            title: title, of: "Orrery", head: "<link rel=\"stylesheet\" href=\"\(SignInPaths.styleSheet)\">",
            above: "<p class=\"brand\">Orrery</p>\n", body: body)
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: page.text)))
    }

    /// A message and nothing to do about it here.
    static func message(_ title: String, _ text: String, status: HTTPResponse.Status = .ok) -> Page {
        Page(title: title, body: "<p role=\"status\">\(text)</p>", status: status)
    }

    static func problem(_ text: String, status: HTTPResponse.Status) -> Page {
        Page(title: "That did not work", body: "<p class=\"error\" role=\"alert\">\(text)</p>", status: status)
    }
}

extension HTTPFields {
    /// What every answer of sign-in says to the browser.
    mutating func secure() {
        self[.contentSecurityPolicy] =
            "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        self[.frameOptions] = "DENY"
        self[.xContentTypeOptions] = "nosniff"
        self[.referrerPolicy] = "same-origin"
        self[.crossOriginOpenerPolicy] = "same-origin"
        self[.cacheControl] = "no-store"
    }
}

extension HTTPField.Name {
    static let refresh = known("Refresh")
    static let crossOriginOpenerPolicy = known("Cross-Origin-Opener-Policy")
    static let forwardedFor = known("X-Forwarded-For")
    static let fetchSite = known("Sec-Fetch-Site")

    private static func known(_ name: String) -> HTTPField.Name {
        guard let field = HTTPField.Name(name) else { preconditionFailure("\(name) is no header name") }
        return field
    }
}
