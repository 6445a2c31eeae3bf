import HTTPTypes
import Hummingbird

/// A page for people: no scripts, nothing from elsewhere, nothing that a cache may keep.
struct Page: Sendable {
    let status: HTTPResponse.Status
    let title: String
    /// HTML; whatever did not come from this source has gone through ``Page/text(_:)``.
    let body: String
    /// Whether other pages may show it in a frame.
    var mayBeFramed = false
    /// Where its form leads, redirects included; nil has no form.
    var formTargets: [String]?

    /// Text as HTML shows it.
    static func text(_ text: some StringProtocol) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }

    private static let style =
        "body{font:1.05rem/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1.25rem;color:#1b1f24;background:#fff}"
        + "h1{font-size:1.4rem}code{display:block;padding:.75rem;background:#eef1f4;overflow-wrap:anywhere;user-select:all}"
        + "button{font:inherit;padding:.4rem 1rem}@media(prefers-color-scheme:dark){body{color:#e6e9ec;background:#14171a}"
        + "code{background:#252a30}a{color:#8ab8ff}}"

    var html: String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(Self.text(title))</title>
        <style>\(Self.style)</style>
        </head>
        <body>
        <main>
        <h1>\(Self.text(title))</h1>
        \(body)
        </main>
        </body>
        </html>

        """
    }

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
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: html)))
    }
}
