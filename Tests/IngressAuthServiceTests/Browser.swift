import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import TestSupport

/// A client that behaves as a browser does where signing in depends on it: redirects, cookies by their rules (RFC 6265bis), and where a form may
/// lead, every step of a redirect included (CSP 3, `form-action`, as Chromium understands it).
actor Browser {
    struct Cookie: Sendable {
        let name: String
        let value: String
        let host: String
        let isSecure: Bool
        let isHidden: Bool
        let sameSite: String
        let hasAge: Bool
    }

    struct Visit: Sendable {
        /// Where it ended.
        let url: String
        let answer: TestAnswer
        /// Every address on the way.
        let way: [String]
        var host: String { Browser.parts(url).host }
    }

    struct TooManyRedirects: Error { let way: [String] }
    struct FormMayNotLeadThere: Error { let url: String }

    /// Sends one request: method, absolute URL, headers.
    typealias Send = @Sendable (HTTPMethod, String, HTTPHeaders, String?) async throws -> TestAnswer

    private(set) var cookies: [Cookie] = []
    /// Where forms of the page that is shown may lead; nil: anywhere.
    private var formTargets: [String]?
    private let send: Send

    static let navigation: HTTPHeaders = [
        "Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document",
        "Sec-Fetch-Site": "none", "User-Agent": "Mozilla/5.0",
    ]

    init(_ send: @escaping Send) { self.send = send }

    func open(
        _ url: String, method: HTTPMethod = .GET, headers: HTTPHeaders = Browser.navigation, body: String? = nil, follows: Bool = true
    ) async throws -> Visit {
        var url = url
        var method = method
        var body = body
        var way: [String] = []
        var allowed = body == nil ? nil : formTargets
        while way.count < 12 {
            way.append(url)
            if let allowed, !allowed.contains(Browser.origin(url)) { throw FormMayNotLeadThere(url: url) }
            var headers = headers
            let sent = cookies(for: url)
            if !sent.isEmpty { headers.replaceOrAdd(name: "Cookie", value: sent) }
            let answer = try await send(method, url, headers, body)
            keep(answer.headers["Set-Cookie"], of: url)
            let redirection = [301, 302, 303, 307, 308].contains(answer.status) ? answer.headers.first(name: "Location") : nil
            let refresh = answer.headers.first(name: "Refresh").flatMap { $0.hasPrefix("0; url=") ? String($0.dropFirst(7)) : nil }
            guard follows, let location = redirection ?? refresh else {
                formTargets = Browser.formTargets(of: answer, at: url)
                return Visit(url: url, answer: answer, way: way)
            }
            // A refresh is a navigation of its own.
            if redirection == nil { allowed = nil }
            url = URL(string: location, relativeTo: URL(string: url))?.absoluteString ?? location
            method = .GET
            body = nil
        }
        throw TooManyRedirects(way: way)
    }

    func cookies(for url: String) -> String {
        let (isSecure, host) = Browser.parts(url)
        return cookies.filter { $0.host == host && (isSecure || !$0.isSecure) }.map { "\($0.name)=\($0.value)" }.joined(separator: "; ")
    }

    func forget(_ name: String) { cookies.removeAll { $0.name == name } }
    func forgetAll() { cookies = [] }
    func plant(_ cookie: String, on url: String) { keep([cookie], of: url) }

    private func keep(_ fields: [String], of url: String) {
        let (isSecure, host) = Browser.parts(url)
        for field in fields {
            let parts = field.components(separatedBy: "; ")
            guard let equals = parts[0].firstIndex(of: "=") else { continue }
            let name = String(parts[0][..<equals])
            let attributes = Dictionary(
                parts.dropFirst().map { part in
                    let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
                    return (pair[0].lowercased(), pair.count > 1 ? pair[1] : "")
                }
            ) { first, _ in first }
            if attributes["secure"] != nil, !isSecure { continue }
            if name.hasPrefix("__Host-"), attributes["secure"] == nil || attributes["path"] != "/" || attributes["domain"] != nil {
                continue
            }
            cookies.removeAll { $0.name == name && $0.host == host }
            guard attributes["max-age"] != "0" else { continue }
            cookies.append(
                Cookie(
                    name: name, value: String(parts[0][parts[0].index(after: equals)...]), host: host,
                    isSecure: attributes["secure"] != nil,
                    isHidden: attributes["httponly"] != nil, sameSite: attributes["samesite"] ?? "", hasAge: attributes["max-age"] != nil))
        }
    }

    private static func formTargets(of answer: TestAnswer, at url: String) -> [String]? {
        let directives = (answer.headers.first(name: "Content-Security-Policy") ?? "").components(separatedBy: "; ")
        return directives.map { $0.components(separatedBy: " ") }.first { $0.first == "form-action" }?
            .dropFirst().map { $0 == "'self'" ? origin(url) : $0 }
    }

    private static func origin(_ url: String) -> String { (url.hasPrefix("https://") ? "https://" : "http://") + parts(url).host }

    static func parts(_ url: String) -> (isSecure: Bool, host: String) {
        let rest = url[(url.range(of: "://")?.upperBound ?? url.startIndex)...]
        return (url.hasPrefix("https://"), String(rest.prefix { $0 != "/" && $0 != "?" }))
    }
}

extension Platform {
    /// A browser in front of ingress-auth, the identity provider, and a gateway that does as Traefik does. Behind it is a job that says `job`
    /// and shows which headers reached it.
    func browser() -> Browser {
        Browser { [self] method, url, headers, body in
            let (_, host) = Browser.parts(url)
            let path = String(url.dropFirst("https://".count + host.count))
            switch host {
            case "api.org.example.org" where path.hasPrefix("/auth/"):
                return try await ingress.call(method, path, headers: headers, form: body, base: auth.url)
            case "api.org.example.org": return try await ingress.call(method, path.isEmpty ? "/" : path, headers: headers, form: body)
            case "login.example.org":
                return try await ingress.call(method, path, headers: headers, form: body, base: neighbourURL)
            default:
                var question = headers
                question.replaceOrAdd(name: "X-Forwarded-Host", value: host)
                question.replaceOrAdd(name: "X-Forwarded-Uri", value: path.isEmpty ? "/" : path)
                question.replaceOrAdd(name: "X-Forwarded-Method", value: method.rawValue)
                question.replaceOrAdd(name: "X-Forwarded-Proto", value: "https")
                let answer = try await ingress.call(.GET, "/oauth/authorize", headers: question)
                guard answer.status == 200 else { return answer }
                return TestAnswer(status: 200, headers: answer.headers, data: Data("job \(path)".utf8))
            }
        }
    }

    /// The same, signed in at the identity provider.
    func browser(of user: String) async throws -> Browser {
        let browser = browser()
        _ = try await browser.open("https://login.example.org/idp/sign-in?user=\(user)")
        return browser
    }
}

extension TestService {
    /// A request with a form for a body, or to another origin.
    func call(_ method: HTTPMethod, _ path: String, headers: HTTPHeaders, form: String?, base: String? = nil) async throws -> TestAnswer {
        var request = HTTPClientRequest(url: (base ?? url) + path)
        request.method = method
        request.headers = headers
        if let form {
            request.headers.replaceOrAdd(name: "Content-Type", value: "application/x-www-form-urlencoded")
            request.body = .bytes(ByteBuffer(string: form))
        }
        return try await call(request)
    }
}
