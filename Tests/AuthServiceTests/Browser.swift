import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import ServiceKit
import TestSupport
import Testing

/// A browser as far as sign-in needs one: it keeps cookies, fills in forms, and follows redirects only when it is told to.
final class Browser {
    let auth: Auth
    private(set) var cookies: [String: String] = [:]
    /// Headers of every request (`X-Forwarded-For`, say).
    var headers: HTTPHeaders = [:]

    init(_ auth: Auth) { self.auth = auth }

    func get(_ path: String, headers more: HTTPHeaders = [:]) async throws -> TestAnswer {
        try await send(.GET, path, nil, more)
    }

    func post(_ path: String, _ form: [String: String], headers more: HTTPHeaders = [:]) async throws -> TestAnswer {
        try await send(.POST, path, form, more)
    }

    /// Fills in the first form of a page that is posted, and sends it.
    func submit(_ page: TestAnswer, _ values: [String: String]) async throws -> TestAnswer {
        let action = try #require(page.body.firstMatch(of: /<form method="post" action="([^"]*)"/)?.1)
        return try await post(String(action), page.hiddenFields.merging(values) { _, new in new })
    }

    private func send(_ method: HTTPMethod, _ path: String, _ form: [String: String]?, _ more: HTTPHeaders) async throws -> TestAnswer {
        var request = HTTPClientRequest(url: auth.service.url + path)
        request.method = method
        request.headers = headers
        request.headers.add(contentsOf: more)
        if !cookies.isEmpty { request.headers.add(name: "Cookie", value: cookies.map { "\($0)=\($1)" }.joined(separator: "; ")) }
        if let form {
            request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
            request.body = .bytes(ByteBuffer(string: form.formEncoded))
        }
        let answer = try await auth.service.call(request)
        for cookie in answer.headers["Set-Cookie"] {
            let parts = cookie.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
            let pair = (parts.first ?? "").split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { continue }
            cookies[String(pair[0])] = parts.contains("Max-Age=0") ? nil : String(pair[1])
        }
        return answer
    }
}

extension TestAnswer {
    /// Names and values of the hidden fields of a page.
    var hiddenFields: [String: String] {
        Dictionary(
            body.matches(of: /<input type="hidden" name="([^"]*)" value="([^"]*)">/).map { (String($0.1), String($0.2).unescaped) }
        ) { first, _ in first }
    }

    /// Where a browser goes next by itself.
    var location: String? {
        headers.first(name: "Location")
            ?? headers.first(name: "Refresh").flatMap { $0.hasPrefix("0; url=") ? String($0.dropFirst(7)) : nil }
    }

    /// A parameter of the address that a redirect leads to.
    func redirected(_ name: String) -> String? {
        location.flatMap(URLComponents.init(string:))?.queryItems?.first { $0.name == name }?.value
    }
}

extension [String: String] {
    var formEncoded: String {
        map { "\($0.formEscaped)=\($1.formEscaped)" }.joined(separator: "&")
    }
}

extension String {
    var formEscaped: String { addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? self }

    fileprivate var unescaped: String {
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")].reduce(self) {
            $0.replacingOccurrences(of: $1.0, with: $1.1)
        }
    }
}
