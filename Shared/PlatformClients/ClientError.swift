import ServiceKit

/// What a call to another API ended with, other than an answer.
public enum ClientError: Error, Sendable {
    /// A status outside 200…299. `message` is the text of `{"error": …}`, or the beginning of the body.
    case status(service: String, code: Int, message: String)
    /// No answer within the bound, retries included. `mayHaveRun`: a request had been sent.
    case unavailable(service: String, reason: String, mayHaveRun: Bool)
    /// An answer that cannot be read.
    case malformed(service: String, reason: String)

    /// The status code, if the call was answered.
    public var code: Int? {
        guard case .status(_, let code, _) = self else { return nil }
        return code
    }
}

extension ClientError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .status(let service, let code, let message): "\(service) answered \(code): \(message)"
        case .unavailable(let service, let reason, _): "\(service) does not answer: \(reason)"
        case .malformed(let service, let reason): "the answer of \(service) cannot be read: \(reason)"
        }
    }
}

extension ClientError: PlatformErrorConvertible {
    /// 503 when the other API is away, 500 for anything else: what another API refused to *us* is no business of our caller's.
    public var platformError: PlatformError {
        switch self {
        case .unavailable: .unavailable("A service this one depends on does not answer; try again.")
        case .status(_, 503, _), .status(_, 502, _), .status(_, 504, _): .unavailable("A service this one depends on is away; try again.")
        case .status, .malformed: PlatformError(.internalServerError, "Internal server error")
        }
    }
}
