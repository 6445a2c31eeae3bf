import Foundation
import HTTPTypes
import Hummingbird
import PlatformModel
import ServiceKit

/// Where a request carries its identity token.
enum TokenExtraction {
    static let subprotocolPrefix = "bearer.apolo.us-"
    static let queryName = "neuro-auth-token"

    /// The token: from `Authorization`, which alone decides when it is there, else from a WebSocket subprotocol, else from the query.
    /// - Throws: 400 for an `Authorization` header that cannot be read.
    static func token(of request: Request) throws -> String? {
        if let header = request.headers[.authorization] { return try bearer(header) }
        if let token = subprotocol(request.headers[values: subprotocolField]) { return token }
        return query(request.uri.query)
    }

    private static let subprotocolField = HTTPField.Name.secWebSocketProtocol

    /// Split at the first space; the rest may hold spaces but must not be empty.
    private static func bearer(_ header: String) throws -> String {
        let parts = header.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[1].isEmpty else { throw PlatformError.badRequest("No credentials") }
        guard parts[0].lowercased() == "bearer" else { throw PlatformError.badRequest("Unexpected authorization scheme") }
        return String(parts[1])
    }

    private static func subprotocol(_ values: [String]) -> String? {
        for item in values.flatMap({ $0.split { $0.isWhitespace || $0 == "," } })
        where item.count > subprotocolPrefix.count && item.prefix(subprotocolPrefix.count).lowercased() == subprotocolPrefix {
            return String(item.dropFirst(subprotocolPrefix.count))
        }
        return nil
    }

    private static func query(_ text: String?) -> String? {
        for pair in text?.split(separator: "&") ?? [] {
            let parts = pair.split(separator: "=", maxSplits: 1)
            if parts.count == 2, parts[0] == queryName { return PercentCoding.decode(parts[1]) }
        }
        return nil
    }
}
