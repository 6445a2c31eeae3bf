/// An action on a resource: what a grant gives and what a check asks for.
public struct Permission: Codable, Hashable, Sendable, CustomStringConvertible {
    public let uri: ResourceURI
    public let action: Action

    public init(_ uri: ResourceURI, _ action: Action) {
        self.uri = uri
        self.action = action
    }

    public init(uri: ResourceURI, action: Action) { self.init(uri, action) }

    /// Whether holding this permission is enough for `other`: same scheme, a prefix of whole segments, at least its action.
    public func covers(_ other: Permission) -> Bool { action >= other.action && uri.covers(other.uri) }

    public var description: String { "\(action.rawValue) on \(uri)" }
}

/// The answer of a permission check: what of the question is not held, in the order asked.
public struct MissingPermissions: Codable, Hashable, Sendable {
    public var missing: [Permission]
    public init(missing: [Permission]) { self.missing = missing }
}
