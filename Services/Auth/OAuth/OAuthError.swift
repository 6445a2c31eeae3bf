import HTTPTypes

/// A refusal in the words of RFC 6749 §5.2, OpenID Connect Core §3.1.2.6 and RFC 8707.
struct OAuthError: Error, Sendable {
    enum Code: String, Sendable {
        case invalidRequest = "invalid_request"
        case invalidClient = "invalid_client"
        case invalidGrant = "invalid_grant"
        case unauthorizedClient = "unauthorized_client"
        case unsupportedGrantType = "unsupported_grant_type"
        case unsupportedResponseType = "unsupported_response_type"
        case invalidTarget = "invalid_target"
        case loginRequired = "login_required"
        case requestNotSupported = "request_not_supported"
        case requestURINotSupported = "request_uri_not_supported"
        case slowDown = "slow_down"
    }

    let code: Code
    let description: String
    var headers: HTTPFields = [:]

    init(_ code: Code, _ description: String, headers: HTTPFields = [:]) {
        self.code = code
        self.description = description
        self.headers = headers
    }

    var status: HTTPResponse.Status {
        switch code {
        case .invalidClient: .unauthorized
        case .slowDown: .tooManyRequests
        default: .badRequest
        }
    }
}
