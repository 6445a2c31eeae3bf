import HTTPTypes
import Hummingbird
import NIOCore

/// A page of sign-in: no scripts, nothing from elsewhere, in nobody's frame, kept by no cache.
struct Page: Sendable {
    let title: String
    let body: HTML
    var status: HTTPResponse.Status = .ok
    /// Origins that a form of this page may lead to: browsers apply the policy to every step of a redirect.
    var formTargets: [String] = []
    var headers: HTTPFields = [:]

    func response(cookies: [String] = []) -> Response {
        var headers = headers
        headers[.contentType] = "text/html; charset=utf-8"
        headers.secure(formTargets: formTargets)
        for cookie in cookies { headers.append(HTTPField(name: .setCookie, value: cookie)) }
        let page: HTML = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="robots" content="noindex">
            <title>\(title) – Orrery</title>
            <link rel="stylesheet" href="\(SignInPaths.styleSheet)">
            </head>
            <body>
            <main>
            <p class="brand">Orrery</p>
            <h1>\(title)</h1>
            \(body)
            </main>
            </body>
            </html>

            """
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
    mutating func secure(formTargets: [String] = []) {
        let targets = (["'self'"] + formTargets).joined(separator: " ")
        self[.contentSecurityPolicy] =
            "default-src 'none'; style-src 'self'; form-action \(targets); base-uri 'none'; frame-ancestors 'none'"
        self[.xFrameOptions] = "DENY"
        self[.xContentTypeOptions] = "nosniff"
        self[.referrerPolicy] = "same-origin"
        self[.crossOriginOpenerPolicy] = "same-origin"
        self[.cacheControl] = "no-store"
    }
}

extension HTTPField.Name {
    static let xFrameOptions = known("X-Frame-Options")
    static let referrerPolicy = known("Referrer-Policy")
    static let crossOriginOpenerPolicy = known("Cross-Origin-Opener-Policy")
    static let forwardedFor = known("X-Forwarded-For")
    static let fetchSite = known("Sec-Fetch-Site")

    private static func known(_ name: String) -> HTTPField.Name {
        guard let field = HTTPField.Name(name) else { preconditionFailure("\(name) is no header name") }
        return field
    }
}
