import HTTPTypes
import Hummingbird
import NIOCore

/// The documentation of an API: `<path>/swagger.json` for programs, `<path>/ui` for people. Both are made once, when the routes are.
public struct Documentation: Sendable {
    private static let policy =
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    private let title: String
    private let path: String
    private let routes: [DocumentedRoute]
    private let objects: [DocumentedObject]

    /// - Parameters:
    ///   - path: where the pages are.
    ///   - routes: one for each route that the service has.
    ///   - objects: what the routes answer with.
    public init(_ title: String, path: String, routes: [DocumentedRoute], objects: [DocumentedObject]) {
        self.title = title
        self.path = path
        self.routes = routes
        self.objects = objects
    }

    /// Adds the pages, after all other routes. What is documented and what is registered are the same routes, or the process stops.
    public func register(on router: PlatformRouter) {
        let described = Dictionary(routes.map { ($0.route, $0) }) { _, last in last }
        let registered = router.routes.map { ($0, described["\($0.method.rawValue) \($0.path)"]) }
        let pairs = registered.compactMap { route, documented in documented.map { (route, $0) } }
        let silent = registered.filter { $0.1 == nil }.map(\.0.description)
        precondition(silent.isEmpty && pairs.count == routes.count, "The documentation is of other routes; not in it: \(silent)")
        let document = OpenAPIDocument(title: title, version: BuildVersion.current, routes: pairs, objects: objects)
        guard let encoded = try? PlatformJSON.encoder().encode(document) else { preconditionFailure("The documentation is no JSON") }
        let json = ByteBuffer(bytes: encoded)
        let page = ByteBuffer(string: DocumentationPage(title: title, routes: pairs, objects: objects).html.text)
        // For anyone: it describes what anybody can read in the project's own documents, and holds nothing of the platform's data.
        router.get(path + "/swagger.json", access: .anyone) { _, _ in Self.response(json, PlatformJSON.contentType) }
        router.get(path + "/ui", access: .anyone) { _, _ in Self.response(page, "text/html; charset=utf-8") }
    }

    private static func response(_ body: ByteBuffer, _ type: String) -> Response {
        Response(
            status: .ok,
            headers: [
                .contentType: type, .xContentTypeOptions: "nosniff", .referrerPolicy: "no-referrer", .frameOptions: "DENY",
                .contentSecurityPolicy: policy,
            ], body: ResponseBody(byteBuffer: body))
    }
}
