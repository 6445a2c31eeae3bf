import HTTPTypes

/// What kind of client waits for the answer: only somebody who looks at a page can be sent to sign in.
enum RequestKind: Hashable, Sendable {
    case webSocket, grpc, script, apiClient, navigation

    init(_ asked: AskedRequest, credentials: Credentials) {
        self = Self.kind(asked, credentials)
    }

    private static let pages: Set<String> = ["document", "iframe", "frame", "embed", "object"]

    private static func kind(_ asked: AskedRequest, _ credentials: Credentials) -> RequestKind {
        let headers = asked.headers
        if asked.isWebSocket { return .webSocket }
        if headers[.contentType]?.lowercased().hasPrefix("application/grpc") == true { return .grpc }
        if headers[.requestedWith]?.lowercased() == "xmlhttprequest" { return .script }
        if let mode = headers[.fetchMode]?.lowercased(), mode != "navigate" { return .script }
        if let destination = headers[.fetchDestination]?.lowercased(), !pages.contains(destination) { return .script }
        if asked.method != "GET", asked.method != "HEAD" { return .apiClient }
        if let accept = headers[.accept], !admitsPage(accept) { return .apiClient }
        // curl and the published client's tests ask for anything at all, and follow redirects.
        return credentials.holdsPlatformToken ? .apiClient : .navigation
    }

    private static func admitsPage(_ accept: String) -> Bool {
        let types = accept.lowercased().split(separator: ",").map { item in item.prefix { $0 != ";" }.filter { !$0.isWhitespace } }
        return types.allSatisfy(\.isEmpty) || types.contains { ["text/html", "*/*", "text/*"].contains($0) }
    }
}
