import HTTPTypes
import Hummingbird
import ServiceKit

/// Lets pages of the listed origins, and of no others, call a route from a browser with the visitor's credentials (the Fetch standard's CORS
/// protocol).
struct CrossOrigin: Sendable {
    let origins: Set<String>

    /// - Throws: for anything that is no origin: patterns and `*` are not taken.
    init(_ settings: Settings) throws {
        let list = try settings.string("console.origins", default: "").split { $0 == "," || $0.isWhitespace }.map(String.init)
        for origin in list where origin.wholeMatch(of: /https?:\/\/[a-z0-9.-]+(:[0-9]{1,5})?/) == nil {
            throw SettingError("ORRERY_CONSOLE_ORIGINS has \"\(origin)\"; expected origins such as https://console.example.org.")
        }
        origins = Set(list)
    }

    /// Answers the browser's question before a request. Only where there are origins that may ask.
    func register(_ paths: [String: String], on router: PlatformRouter) {
        guard !origins.isEmpty else { return }
        for (path, methods) in paths {
            // For anyone: browsers ask without credentials, and are told nothing but what is configured.
            router.on(.options, path, access: .anyone) { request, _ in
                var headers = headers(for: request)
                if headers[.accessControlAllowOrigin] != nil {
                    headers[.accessControlAllowMethods] = methods
                    headers[.accessControlAllowHeaders] = "authorization, content-type, accept"
                    headers[.accessControlMaxAge] = "600"
                }
                return Response(status: .noContent, headers: headers)
            }
        }
    }

    /// Adds to an answer, also to a refusal, what lets the page read it.
    func with(_ request: Request, _ body: () async throws -> Response) async throws -> Response {
        guard !origins.isEmpty else { return try await body() }
        let more = headers(for: request)
        do {
            var response = try await body()
            response.headers.append(contentsOf: more)
            return response
        } catch var error as PlatformError {
            error.headers.append(contentsOf: more)
            throw error
        }
    }

    private func headers(for request: Request) -> HTTPFields {
        var headers: HTTPFields = [.vary: "Origin"]
        let asked = request.headers[values: .origin]
        if asked.count == 1, let origin = asked.first, origins.contains(origin) {
            headers[.accessControlAllowOrigin] = origin
            headers[.accessControlAllowCredentials] = "true"
        }
        return headers
    }
}
