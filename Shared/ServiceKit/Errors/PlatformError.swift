import HTTPTypes

/// An answer that refuses: status, a sentence for people, and what a contract wants beside it.
///
/// Thrown from domain or route; the service's ``ErrorRenderer`` gives it the form that its contract wants.
public struct PlatformError: Error, Sendable {
    /// The HTTP status.
    public var status: HTTPResponse.Status
    /// One sentence for people; shown to the caller, so without secrets and without other people's data.
    public var message: String
    /// A word for programs, where the contract has one (`unique`, `over_limit`).
    public var code: String?
    /// Headers added to the answer.
    public var headers: HTTPFields
    /// A body that replaces the renderer's usual one (`{"missing": […]}`).
    public var body: (any Encodable & Sendable)?

    /// Makes an error with any status.
    public init(
        _ status: HTTPResponse.Status, _ message: String, code: String? = nil, headers: HTTPFields = [:],
        body: (any Encodable & Sendable)? = nil
    ) {
        self.status = status
        self.message = message
        self.code = code
        self.headers = headers
        self.body = body
    }

    /// 400.
    public static func badRequest(_ message: String, code: String? = nil) -> PlatformError { .init(.badRequest, message, code: code) }
    /// 401; the responder adds `WWW-Authenticate`.
    public static func unauthorized(_ message: String = "Unauthorized") -> PlatformError { .init(.unauthorized, message) }
    /// 403.
    public static func forbidden(_ message: String = "Forbidden", code: String? = nil) -> PlatformError {
        .init(.forbidden, message, code: code)
    }
    /// 404.
    public static func notFound(_ message: String = "Not Found") -> PlatformError { .init(.notFound, message) }
    /// 409.
    public static func conflict(_ message: String, code: String? = nil) -> PlatformError { .init(.conflict, message, code: code) }
    /// 503 with `Retry-After` in seconds: the same request may succeed later.
    public static func unavailable(
        _ message: String = "The service is briefly unavailable; try again.", retryAfter: Int = 2
    ) -> PlatformError {
        .init(.serviceUnavailable, message, headers: [.retryAfter: String(retryAfter)])
    }
}

extension PlatformError: CustomStringConvertible {
    public var description: String { "\(status.code) \(message)" }
}
