import Foundation
import Hummingbird
import ServiceKit

/// The parameters of a request to the token endpoint: a form, or JSON, as machine clients of the published protocol send it.
struct TokenRequest: Sendable {
    private let values: [String: String]
    /// Client id and secret of an `Authorization: Basic` header.
    private let basic: (id: String, secret: String)?

    static let bodyLimit = 16 << 10

    /// - Throws: ``OAuthError``.
    init(_ request: Request, _ context: PlatformContext) async throws {
        let body = try await request.body.collect(upTo: Self.bodyLimit)
        let data = Data(body.readableBytesView)
        let type = request.headers[.contentType]?.split(separator: ";").first.map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
        switch type {
        case "application/x-www-form-urlencoded":
            guard let text = String(data: data, encoding: .utf8), let items = try? QueryItems(text).items else {
                throw OAuthError(.invalidRequest, "The body is not a form")
            }
            guard Set(items.map(\.name)).count == items.count else { throw OAuthError(.invalidRequest, "A parameter is given twice") }
            values = Dictionary(items.map { ($0.name, $0.value) }) { first, _ in first }
        case "application/json":
            guard let object = try? JSONDecoder().decode([String: String?].self, from: data) else {
                throw OAuthError(.invalidRequest, "The body is not a JSON object of texts")
            }
            values = object.compactMapValues { $0 }
        default:
            throw OAuthError(.invalidRequest, "The body must be application/x-www-form-urlencoded or application/json")
        }
        basic = try request.headers[.authorization].map(Self.basic)
        if let basic, let id = values["client_id"], id != basic.id {
            throw OAuthError(.invalidRequest, "client_id differs from the Authorization header")
        }
    }

    /// - Throws: ``OAuthError`` when it is missing or empty.
    func required(_ name: String) throws -> String {
        guard let value = values[name], !value.isEmpty else { throw OAuthError(.invalidRequest, "\(name): is required") }
        return value
    }

    func optional(_ name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// The client that asks, with the proof it gave.
    func client() throws -> (id: String, secret: String?) {
        if let basic { return basic }
        return (try required("client_id"), optional("client_secret"))
    }

    /// RFC 6749 §2.3.1: both parts are form-encoded.
    private static func basic(_ header: String) throws -> (String, String) {
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "basic", let data = Data(base64Encoded: String(parts[1])),
            let text = String(data: data, encoding: .utf8), let colon = text.firstIndex(of: ":"),
            let id = decoded(text[..<colon]), let secret = decoded(text[text.index(after: colon)...])
        else { throw OAuthError(.invalidClient, "The Authorization header cannot be read", headers: [.wwwAuthenticate: "Basic"]) }
        return (id, secret)
    }

    private static func decoded(_ text: Substring) -> String? {
        text.replacingOccurrences(of: "+", with: " ").removingPercentEncoding
    }
}
