import HTTPTypes
import Hummingbird
import Logging
import ServiceKit

/// Knows callers by their bearer tokens; for tests of what is not identity.
public struct TestAuthenticator: Authenticator {
    private let callers: [String: Caller]

    /// Callers by name; a caller's token is its name.
    public init(_ names: String...) {
        callers = Dictionary(uniqueKeysWithValues: names.map { ($0, Caller(name: $0, token: $0)) })
    }

    /// As a factory.
    public static func factory(_ names: String...) -> AuthenticatorFactory {
        let callers = TestAuthenticator(callers: Dictionary(uniqueKeysWithValues: names.map { ($0, Caller(name: $0, token: $0)) }))
        return { _ in callers }
    }

    init(callers: [String: Caller]) { self.callers = callers }

    public func caller(_ request: Request, logger: Logger) async throws -> Caller? {
        guard let header = request.headers[.authorization] else { return nil }
        guard let caller = callers[String(header.dropFirst("Bearer ".count))] else { throw PlatformError.unauthorized("Unknown token") }
        return caller
    }
}
