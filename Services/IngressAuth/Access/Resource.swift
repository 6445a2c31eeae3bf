import PlatformModel

/// What stands behind a host.
enum Resource: Hashable, Sendable {
    /// Nothing, as far as anybody is told.
    case unknown
    /// A page of the platform: being signed in is enough.
    case page
    /// A job or an app: the visitor must hold one permission of each group.
    case guarded([[Permission]])
}
