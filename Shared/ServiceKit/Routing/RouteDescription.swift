import HTTPTypes

/// One line of a service's list of routes.
public struct RouteDescription: Sendable, Equatable, CustomStringConvertible {
    /// The method; HEAD is answered beside every GET without being listed.
    public let method: HTTPRequest.Method
    /// The template, as registered.
    public let path: String
    /// Who may call it.
    public let access: Access

    public var description: String { "\(method.rawValue) \(path) (\(access.rawValue))" }
}
