import Foundation
import ServiceKit

/// Where a browser goes once it has signed in: back to an authorization request that is in order, or to the account's page. Nothing else,
/// and nowhere else.
struct ReturnTarget: Sendable {
    /// Path and query.
    let path: String

    static let account = ReturnTarget(path: SignInPaths.account)

    /// Whether the way ends with us; where a client leads on to, it alone knows.
    var isOurs: Bool { path == SignInPaths.account }

    private init(path: String) { self.path = path }

    /// Nil for whatever this service did not make itself.
    init?(_ text: String?, clients: OAuthClients, audience: String) {
        guard let text, !text.isEmpty, text != SignInPaths.account else {
            self = .account
            return
        }
        let prefix = SignInPaths.authorize + "?"
        guard text.hasPrefix(prefix), text.utf8.count <= 8_192, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
            let query = try? QueryItems(String(text.dropFirst(prefix.count))),
            (try? AuthorizationRequest(query, clients: clients, audience: audience)) != nil
        else { return nil }
        self.init(path: text)
    }

    /// Back to an authorization request; a sign-in that was asked for anew has happened then.
    init(_ query: QueryItems) {
        let items = query.items.filter { !["prompt", "max_age"].contains($0.name) }
        path = SignInPaths.authorize + "?" + items.map { "\($0.name)=\(Self.encode($0.value))" }.joined(separator: "&")
    }

    /// A path with this target in its query.
    func link(from path: String, _ more: String = "") -> String { "\(path)?return_to=\(Self.encode(self.path))\(more)" }

    static func encode(_ text: String) -> String { text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? "" }

    private static let unreserved = CharacterSet(
        charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
}
