import HTTPTypes
import Hummingbird

/// Collects a service's routes. Paths are strict: a trailing or double slash is another path.
///
/// Templates: `/api/v1/users/{name}/permissions`; `{name...}` takes several segments, also before a known suffix
/// (`/users/{name...}/permissions`); `{name*}` at the end takes the rest of the path as it was sent, empty or not, slashes and escapes
/// included. Overlapping templates are ordered by the most specific segment from the left.
public final class PlatformRouter {
    typealias Handler = @Sendable (Request, PlatformContext) async throws -> Response

    struct Route: Sendable {
        let description: RouteDescription
        let template: PathTemplate
        let bodyLimit: Int
        let timeout: Duration?
        let isBrief: Bool
        let handler: Handler
    }

    private(set) var tree = RouteTree<Route>()
    /// Every route, in the order of registration.
    public private(set) var routes: [RouteDescription] = []

    /// Whose pages may call routes from a browser; nobody's, unless the service says so. It answers OPTIONS where the service has no route for it.
    public var crossOrigin: CrossOrigin?

    /// How long a handler may take until its response begins, unless the route says otherwise.
    public static let defaultTimeout = Duration.seconds(30)

    /// An empty list.
    public init() {}

    /// Adds a route.
    /// - Parameters:
    ///   - bodyLimit: bytes of request body; more is 413.
    ///   - timeout: until the response begins (a streamed body may take longer), then 503; nil is no limit.
    ///   - isBrief: the handler only ever computes for a moment and otherwise waits. It runs on the connection's event loop, which spares two
    ///     changes of threads; what it computes, the other connections of that loop wait for.
    public func on(
        _ method: HTTPRequest.Method, _ path: String, access: Access, bodyLimit: Int = 1 << 20,
        timeout: Duration? = PlatformRouter.defaultTimeout, isBrief: Bool = false,
        use handler: @escaping @Sendable (Request, PlatformContext) async throws -> some ResponseGenerator
    ) {
        let description = RouteDescription(method: method, path: path, access: access)
        let template = PathTemplate(path)
        let route = Route(
            description: description, template: template, bodyLimit: bodyLimit, timeout: timeout, isBrief: isBrief
        ) { request, context in
            try await handler(request, context).response(from: request, context: context)
        }
        let added = tree.insert(route, method: method.rawValue, at: template.segments[...])
        precondition(added, "Two routes answer \(method.rawValue) \(path)")
        routes.append(description)
    }

    /// Adds a GET route; HEAD is answered beside it.
    public func get(
        _ path: String, access: Access, timeout: Duration? = PlatformRouter.defaultTimeout,
        use handler: @escaping @Sendable (Request, PlatformContext) async throws -> some ResponseGenerator
    ) {
        on(.get, path, access: access, timeout: timeout, use: handler)
    }

    /// Adds a POST route.
    public func post(
        _ path: String, access: Access, bodyLimit: Int = 1 << 20, timeout: Duration? = PlatformRouter.defaultTimeout, isBrief: Bool = false,
        use handler: @escaping @Sendable (Request, PlatformContext) async throws -> some ResponseGenerator
    ) {
        on(.post, path, access: access, bodyLimit: bodyLimit, timeout: timeout, isBrief: isBrief, use: handler)
    }

    /// Adds a PUT route.
    public func put(
        _ path: String, access: Access, bodyLimit: Int = 1 << 20, timeout: Duration? = PlatformRouter.defaultTimeout,
        use handler: @escaping @Sendable (Request, PlatformContext) async throws -> some ResponseGenerator
    ) {
        on(.put, path, access: access, bodyLimit: bodyLimit, timeout: timeout, use: handler)
    }

    /// Adds a PATCH route.
    public func patch(
        _ path: String, access: Access, bodyLimit: Int = 1 << 20, timeout: Duration? = PlatformRouter.defaultTimeout,
        use handler: @escaping @Sendable (Request, PlatformContext) async throws -> some ResponseGenerator
    ) {
        on(.patch, path, access: access, bodyLimit: bodyLimit, timeout: timeout, use: handler)
    }

    /// Adds a DELETE route.
    public func delete(
        _ path: String, access: Access, bodyLimit: Int = 1 << 20, timeout: Duration? = PlatformRouter.defaultTimeout,
        use handler: @escaping @Sendable (Request, PlatformContext) async throws -> some ResponseGenerator
    ) {
        on(.delete, path, access: access, bodyLimit: bodyLimit, timeout: timeout, use: handler)
    }
}
