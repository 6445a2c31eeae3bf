import Hummingbird
import Logging

/// Reads the caller from a request.
public protocol Authenticator: Sendable {
    /// The caller; nil when the request carries no credentials.
    /// - Throws: ``PlatformError`` 401 for credentials that do not stand, 400 for a header that cannot be read, 503 when it cannot be known now.
    func caller(_ request: Request, logger: Logger) async throws -> Caller?
}

/// Makes the authenticator of a process from its context; handed to ``ServiceRunner``.
public typealias AuthenticatorFactory = @Sendable (ServiceContext) async throws -> any Authenticator
