import Hummingbird
import Logging
import NIOCore

/// What a route knows of its request beside the request itself.
public struct PlatformContext: RequestContext {
    public var coreContext: CoreRequestContextStorage
    /// The id in every log line of this request and in the answer's `X-Request-ID`; the caller's own if it sent a sane one.
    public internal(set) var requestID = ""
    /// Who asks; always set on a route with access `.principal`.
    public internal(set) var caller: Caller?
    /// The headers that clients carry on; also in ``TraceHeaders/current``.
    public internal(set) var trace = TraceHeaders([:], requestID: "")
    /// The query, decoded.
    public internal(set) var query = QueryItems()
    /// The route's template; empty when no route matched.
    public internal(set) var route = ""
    /// The connection, for responses that need it (kernel copy).
    public let channel: any Channel

    var pathParameters: [String: String] = [:]
    var bodyLimit = 1 << 20

    public init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }

    public var maxUploadSize: Int { bodyLimit }
    public var requestDecoder: JSONBodyDecoder { JSONBodyDecoder() }

    /// A path parameter, percent-decoded once; never empty, without `/` (unless the template says `{name...}`), dot segments or control
    /// characters.
    /// - Throws: 500 when the template has no such name, which is a mistake in the route.
    public func parameter(_ name: String) throws -> String {
        guard let value = pathParameters[name] else {
            throw PlatformError(.internalServerError, "Route \(route) has no parameter \(name).")
        }
        return value
    }

    /// The caller.
    /// - Throws: 401 when there is none.
    public func requireCaller() throws -> Caller {
        guard let caller else { throw PlatformError.unauthorized() }
        return caller
    }
}
