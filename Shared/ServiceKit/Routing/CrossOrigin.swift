import HTTPTypes
import Hummingbird

/// Lets pages of the listed origins, and of no others, call the routes below a path from a browser with the visitor's credentials (the CORS
/// protocol of the Fetch standard, in the words of the services that the clients know).
public struct CrossOrigin: Sendable {
    private let origins: Set<String>
    private let prefix: String

    /// The origins of `ORRERY_CONSOLE_ORIGINS`, separated by commas; nil if there are none.
    /// - Parameter prefix: the path below which pages may call, itself included.
    /// - Throws: ``SettingError`` for anything that is no origin: patterns and `*` are not taken.
    public init?(_ settings: Settings, below prefix: String) throws {
        let list = try settings.string("console.origins", default: "").split { $0 == "," || $0.isWhitespace }.map(String.init)
        for origin in list where origin.wholeMatch(of: /https?:\/\/[a-z0-9.-]+(:[0-9]{1,5})?/) == nil {
            throw SettingError("ORRERY_CONSOLE_ORIGINS has \"\(origin)\"; expected origins such as https://console.example.org.")
        }
        guard !list.isEmpty else { return nil }
        origins = Set(list)
        self.prefix = prefix
    }

    func covers(_ path: String) -> Bool { path == prefix || path.hasPrefix(prefix + "/") }

    /// What a browser is told before it sends a request that answers one of `methods`. It asks without credentials, and learns nothing but
    /// what is configured.
    func preflight(_ request: Request, methods: Set<String>) -> Response {
        guard let origin = request.headers[.origin] else { return Self.refusal("origin header is not specified in the request") }
        guard let method = request.headers[.accessControlRequestMethod] else {
            return Self.refusal("'Access-Control-Request-Method' header is not specified")
        }
        guard methods.contains(method) else { return Self.refusal("request method '\(method)' is not allowed for '\(origin)' origin") }
        guard origins.contains(origin) else { return Self.refusal("origin '\(origin)' is not allowed") }
        let wanted = (request.headers[.accessControlRequestHeaders] ?? "").split(separator: ",").map {
            $0.drop { $0 == " " }.prefix { $0 != " " }.uppercased()
        }
        guard wanted.allSatisfy({ HTTPField.Name($0) != nil }) else { return Self.refusal("a header that was asked for is no header") }
        var headers: HTTPFields = [.accessControlAllowMethods: method, .accessControlMaxAge: "600"]
        if !wanted.isEmpty { headers[.accessControlAllowHeaders] = wanted.joined(separator: ",") }
        return Response(status: .ok, headers: headers)
    }

    /// Adds to an answer, to a refusal too, what lets the page read it.
    func mark(_ response: inout Response, to request: Request) {
        let asked = request.headers[values: .origin]
        if asked.count == 1, let origin = asked.first, origins.contains(origin) {
            let names = response.headers.map(\.name.rawName)
            response.headers[.accessControlAllowOrigin] = origin
            response.headers[.accessControlAllowCredentials] = "true"
            if request.method != .options { response.headers[.accessControlExposeHeaders] = names.joined(separator: ",") }
        }
        response.headers.append(HTTPField(name: .vary, value: "Origin"))
    }

    private static func refusal(_ reason: String) -> Response {
        Response(
            status: .forbidden, headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: "CORS preflight request failed: \(reason)")))
    }
}
