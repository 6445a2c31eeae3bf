import PlatformModel
import ServiceKit

extension NameError: PlatformErrorConvertible {
    /// 400 with the rule that was broken.
    public var platformError: PlatformError { .badRequest(description) }
}

extension ResourceURIError: PlatformErrorConvertible {
    /// 400 for a malformed URI, 422 for an unknown scheme.
    public var platformError: PlatformError {
        switch self {
        case .malformed: .badRequest(description)
        case .unknownScheme: PlatformError(.unprocessableContent, description)
        }
    }
}
