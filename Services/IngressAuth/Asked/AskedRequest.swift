import Foundation
import HTTPTypes
import PlatformModel

/// The visitor's request, as the gateway describes it in its question.
struct AskedRequest: Sendable {
    let host: HostName
    /// In upper case.
    let method: String
    /// Path and query as the visitor sent them, if they may stand in a `Location`; else `/`.
    let target: String
    /// The decoded path; nil when it cannot be decoded.
    let path: String?
    let isWebSocket: Bool
    let cookies: CookieHeader
    /// The visitor's own.
    let headers: HTTPFields

    /// The sentence says what is wrong with the question.
    struct Malformed: Error { let sentence: String }

    /// The path on which a visitor comes back from signing in. It is ours on every protected host and never reaches a job.
    static let returnPath = "/.apolo-sso"

    init(_ headers: HTTPFields) throws(Malformed) {
        let hosts = headers[values: .forwardedHost]
        guard hosts.count == 1, let received = hosts.first, !received.contains(","), let host = HostName(received) else {
            throw Malformed(sentence: "The request names no single host.")
        }
        self.host = host
        self.headers = headers
        method = headers[.forwardedMethod]?.uppercased() ?? "GET"
        let uri = headers[values: .forwardedURI].count == 1 ? headers[.forwardedURI] ?? "/" : "/"
        target = Self.safe(uri)
        path = PercentCoding.decode(uri.prefix { $0 != "?" && $0 != "#" })
        let proto = headers[.forwardedProto]?.lowercased()
        isWebSocket =
            proto == "ws" || proto == "wss" || headers[.secWebSocketKey] != nil || headers[.secWebSocketVersion] != nil
        cookies = CookieHeader(headers[values: .cookie])
    }

    /// Whether this is a visitor's return from signing in.
    var isReturn: Bool { path.map { $0 == Self.returnPath || $0.hasPrefix(Self.returnPath + "/") } ?? false }

    /// What follows the path, for the return.
    var query: String? {
        headers[.forwardedURI].flatMap { uri in uri.firstIndex(of: "?").map { String(uri[uri.index(after: $0)...]) } }
    }

    private static func safe(_ uri: String) -> String {
        guard uri.hasPrefix("/"), !uri.hasPrefix("//"), uri.utf8.count <= 2048,
            uri.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\\") && $0 != UInt8(ascii: "#") })
        else { return "/" }
        guard let path = PercentCoding.decode(uri.prefix { $0 != "?" }), !path.hasPrefix(returnPath) else { return "/" }
        return uri
    }
}
