/// Who may call a route. Declared on every route; the list of routes shows it to the authorization matrix.
public enum Access: String, Sendable, Equatable {
    /// Anyone, without credentials; a comment at the route says why. Credentials are not even looked at.
    case anyone
    /// Any authenticated caller; what the caller may do is checked by the route or the domain.
    case principal
    /// Credentials are read when present; without them, or with bad ones, there is no caller.
    case optionalPrincipal
}
