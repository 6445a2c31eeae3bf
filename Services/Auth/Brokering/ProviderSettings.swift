import Foundation
import ServiceKit

/// An OpenID provider that people may sign in through, as the operator lists it in the secret `oidc-providers`.
struct ProviderSettings: Sendable, Decodable {
    /// Names of the claims that tell who somebody is.
    struct Claims: Sendable, Decodable {
        var email = "email"
        var emailVerified = "email_verified"
        var name = "preferred_username"

        private enum CodingKeys: String, CodingKey {
            case email, name
            case emailVerified = "email_verified"
        }

        init() {}

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            email = try container.decodeIfPresent(String.self, forKey: .email) ?? email
            emailVerified = try container.decodeIfPresent(String.self, forKey: .emailVerified) ?? emailVerified
            name = try container.decodeIfPresent(String.self, forKey: .name) ?? name
        }
    }

    /// In its paths here: lower-case letters, digits and dashes.
    let id: String
    /// What people call it.
    let name: String
    /// Exactly as the provider calls itself.
    let issuer: String
    let clientID: String
    let clientSecret: Secret?
    let scopes: [String]
    let claims: Claims
    /// Every address of this provider counts as verified: it makes none up and lets nobody choose one.
    let trustsEmail: Bool
    /// People without an account here get one; else an administrator makes it first.
    let signUp: Bool
    /// Only addresses of these domains are let in; empty for all.
    let domains: [String]

    private enum CodingKeys: String, CodingKey {
        case id, name, issuer, scopes, claims, domains
        case clientID = "client_id"
        case clientSecret = "client_secret"
        case trustsEmail = "trusts_email"
        case signUp = "sign_up"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decode(String.self, forKey: .id)
        name = try container.decodeIfPresent(String.self, forKey: .name) ?? id
        issuer = try container.decode(String.self, forKey: .issuer)
        clientID = try container.decode(String.self, forKey: .clientID)
        clientSecret = try container.decodeIfPresent(String.self, forKey: .clientSecret).map { Secret($0) }
        scopes = try container.decodeIfPresent([String].self, forKey: .scopes) ?? ["openid", "email", "profile"]
        claims = try container.decodeIfPresent(Claims.self, forKey: .claims) ?? Claims()
        trustsEmail = try container.decodeIfPresent(Bool.self, forKey: .trustsEmail) ?? false
        signUp = try container.decodeIfPresent(Bool.self, forKey: .signUp) ?? false
        domains = try container.decodeIfPresent([String].self, forKey: .domains).map { $0.map { $0.lowercased() } } ?? []
        func refuse(_ reason: String) -> DecodingError {
            .dataCorruptedError(forKey: .id, in: container, debugDescription: "provider \(id): \(reason)")
        }
        guard !id.isEmpty, id.utf8.allSatisfy({ Self.isPlain($0) }) else {
            throw refuse("the id is not of lower-case letters, digits and dashes")
        }
        guard let url = URLComponents(string: issuer), url.host != nil, url.query == nil, url.fragment == nil,
            url.scheme == "https" || url.scheme == "http"
        else { throw refuse("the issuer is no URL") }
        guard scopes.contains("openid") else { throw refuse("the scopes lack openid") }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
        default: false
        }
    }

    /// All providers of this installation; none is usual.
    static func all(_ settings: Settings) throws -> [ProviderSettings] {
        guard let text = try settings.optionalSecret("oidc.providers") else { return [] }
        do {
            let all = try JSONDecoder().decode([ProviderSettings].self, from: Data(text.value.utf8))
            guard Set(all.map(\.id)).count == all.count else {
                throw SettingError("The secret ORRERY_OIDC_PROVIDERS names a provider twice.")
            }
            return all
        } catch let error as DecodingError {
            throw SettingError("The secret ORRERY_OIDC_PROVIDERS cannot be used: \(error.reason)")
        }
    }
}
