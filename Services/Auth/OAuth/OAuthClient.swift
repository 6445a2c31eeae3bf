import Foundation
import PlatformModel
import ServiceKit

/// A program that lets people sign in here, or that signs in itself.
struct OAuthClient: Sendable, Decodable {
    let id: String
    /// The hash of its secret; nil for a public client, which proves itself by the challenge alone.
    let secretHash: String?
    /// Compared as they are, character by character.
    let redirectURIs: [String]
    /// Where signing out may lead.
    let logoutURIs: [String]
    /// Whose tokens it gets with its own credentials; nil for none.
    let principal: PrincipalName?

    var isPublic: Bool { secretHash == nil }

    init(id: String, secret: Secret? = nil, redirectURIs: [String], logoutURIs: [String] = []) {
        self.id = id
        secretHash = secret.map { OpaqueToken($0.value).hash }
        self.redirectURIs = redirectURIs
        self.logoutURIs = logoutURIs
        principal = nil
    }

    private enum CodingKeys: String, CodingKey {
        case id, secret, principal
        case redirectURIs = "redirect_uris"
        case logoutURIs = "logout_uris"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decode(String.self, forKey: .id)
        let secret = try container.decodeIfPresent(String.self, forKey: .secret)
        secretHash = secret.map { OpaqueToken($0).hash }
        redirectURIs = try container.decodeIfPresent([String].self, forKey: .redirectURIs) ?? []
        logoutURIs = try container.decodeIfPresent([String].self, forKey: .logoutURIs) ?? []
        principal = try container.decodeIfPresent(PrincipalName.self, forKey: .principal)
        func refuse(_ reason: String) -> DecodingError {
            .dataCorruptedError(forKey: .id, in: container, debugDescription: "client \(id): \(reason)")
        }
        guard !id.isEmpty else { throw refuse("the id is empty") }
        if let secret, secret.utf8.count < 24 { throw refuse("the secret has fewer than 24 characters") }
        guard principal == nil || secret != nil else { throw refuse("a client that signs in itself needs a secret") }
        for uri in redirectURIs + logoutURIs {
            guard let parts = URLComponents(string: uri), let host = parts.host, parts.fragment == nil, parts.user == nil,
                parts.scheme == "https" || (parts.scheme == "http" && ["127.0.0.1", "[::1]", "::1", "localhost"].contains(host))
            else { throw refuse("\(uri) is no https URL, and no http URL of this machine") }
        }
    }

    /// Whether the secret is this client's.
    func isProven(by secret: String?) -> Bool {
        guard let secretHash else { return secret == nil || secret == "" }
        return secret.map { OpaqueToken.equal(OpaqueToken($0).hash, secretHash) } ?? false
    }
}

/// The clients of this installation: the published command line, the single sign-on in front of jobs, and those that the operator listed.
struct OAuthClients: Sendable {
    static let loopback = (54540...54542).map { "http://127.0.0.1:\($0)" }

    private let clients: [String: OAuthClient]

    init(_ settings: Settings, _ oauth: OAuthSettings) throws {
        let own = OAuthClient(
            id: try settings.string("oauth.client.id", default: "apolo-cli"),
            redirectURIs: Self.loopback + [oauth.showCodeURL, oauth.issuer + "/oauth/show-code"])
        let web = OAuthClient(
            id: try settings.string("oauth.web.client.id", default: "orrery-web"),
            secret: try settings.optionalSecret("oauth.web.client.secret"),
            redirectURIs: [oauth.issuer + "/oauth/callback"], logoutURIs: [oauth.issuer + "/oauth/logged-out"])
        var listed: [OAuthClient] = []
        if let text = try settings.optionalSecret("oauth.clients") {
            do {
                listed = try JSONDecoder().decode([OAuthClient].self, from: Data(text.value.utf8))
            } catch let error as DecodingError {
                throw SettingError("The secret ORRERY_OAUTH_CLIENTS cannot be used: \(error.reason)")
            }
        }
        let all = [own, web] + listed
        guard Set(all.map(\.id)).count == all.count else {
            throw SettingError("The secret ORRERY_OAUTH_CLIENTS names a client twice, or one of the platform's own.")
        }
        clients = Dictionary(uniqueKeysWithValues: all.map { ($0.id, $0) })
    }

    subscript(_ id: String) -> OAuthClient? { clients[id] }

    /// Where signing out may lead, for one client or for any.
    func mayReturn(to uri: String, client: String?) -> Bool {
        clients.values.contains { (client == nil || $0.id == client) && $0.logoutURIs.contains(uri) }
    }
}

extension DecodingError {
    /// What is wrong, without the document that it is wrong in.
    var reason: String {
        switch self {
        case .keyNotFound(let key, _): "\(key.stringValue) is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            (context.codingPath.map(\.stringValue) + [context.debugDescription]).joined(separator: ": ")
        @unknown default: "it is not as expected"
        }
    }
}
