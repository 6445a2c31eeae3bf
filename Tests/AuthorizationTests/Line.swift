import HTTPTypes
import ServiceKit

/// One line of the matrix: a route, a request to it that is right in every respect but who asks, and what is expected.
struct Line: Sendable {
    /// As registered: `GET /api/v1/jobs/{job}`.
    let route: String
    let method: String
    /// With `$name` for what only the running platform knows.
    let target: String
    let body: String?
    let contentType: String
    let headers: [String: String]
    let rule: Rule

    /// What parameters stand for unless a line says otherwise.
    private static let usual = [
        "cluster": "default", "org": "zenith", "project": "vision", "user": "alice", "name": "alice", "job": "$job", "preset": "cpu-small",
    ]

    /// - Parameters:
    ///   - values: what the parameters of this route stand for; the tenant's own things otherwise.
    ///   - body: JSON, or a form if it does not begin as JSON does.
    init(
        _ route: String, _ rule: Rule, _ values: [String: String] = [:], query: String = "", body: String? = nil,
        headers: [String: String] = [:]
    ) {
        let parts = route.split(separator: " ", maxSplits: 1)
        let path = parts[1].split(separator: "/", omittingEmptySubsequences: false).map { segment in
            guard segment.hasPrefix("{") else { return String(segment) }
            let name = segment.dropFirst().dropLast().prefix { $0 != "." }
            return values[String(name)] ?? Self.usual[String(name)] ?? "x"
        }
        self.route = route
        method = String(parts[0])
        target = path.joined(separator: "/") + (query.isEmpty ? "" : "?" + query)
        self.body = body
        contentType = body.map { "{[".contains($0.first ?? " ") } == false ? "application/x-www-form-urlencoded" : "application/json"
        self.headers = headers
        self.rule = rule
    }

    /// What every service answers beside its own routes.
    static func builtIn(_ service: String) -> [Line] {
        ["/ping", "/api/v1/ping/\(service)", "/health", "/ready"].map { Line("GET \($0)", .anyone(200)) }
    }

    /// The tenant's own names, none of which a stranger may see.
    static let marks = ["zenith", "vision", "annex"]

    /// Whether the request itself names the tenant, so that an answer may.
    var namesTenant: Bool { Self.marks.contains { target.contains($0) || body?.contains($0) == true } }
}

extension RouteDescription {
    /// As lines of the matrix write it.
    var line: String { "\(method.rawValue) \(path)" }
}
