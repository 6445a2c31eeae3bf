import Foundation
import JWTKit
import PlatformModel

/// The payload of a provider's ID token; claims by name, since each provider has its own.
struct ProviderClaims: JWTPayload {
    private let values: [String: JSON]

    init(from decoder: any Decoder) throws { values = try [String: JSON](from: decoder) }
    func encode(to encoder: any Encoder) throws { try values.encode(to: encoder) }

    /// Checked by ``refusal(issuer:client:nonce:now:)``.
    func verify(using algorithm: some JWTAlgorithm) async throws {}

    func text(_ name: String) -> String? {
        guard case .string(let text)? = values[name] else { return nil }
        return text
    }

    /// `true`, or the text of it, as some providers write.
    func flag(_ name: String) -> Bool {
        switch values[name] {
        case .bool(let flag): flag
        case .string(let text): text == "true"
        default: false
        }
    }

    private func seconds(_ name: String) -> Double? {
        switch values[name] {
        case .integer(let number): Double(number)
        case .number(let number): number
        default: nil
        }
    }

    private var audience: [String] {
        switch values["aud"] {
        case .string(let one): [one]
        case .array(let many):
            many.compactMap {
                if case .string(let text) = $0 { text } else { nil }
            }
        default: []
        }
    }

    /// Why the token is not for us, now, and from this sign-in (OpenID Connect Core §3.1.3.7); nil when it is.
    func refusal(issuer: String, client: String, nonce: String, now: Date, leeway: Double = 60) -> String? {
        if text("iss") != issuer { return "its ID token is of another issuer" }
        if !audience.contains(client) { return "its ID token is for another client" }
        if audience.count > 1, text("azp") == nil { return "its ID token is for several clients and does not say for which" }
        if let party = text("azp"), party != client { return "its ID token was made for another client" }
        let now = now.timeIntervalSince1970
        guard let expiry = seconds("exp"), expiry + leeway > now else { return "its ID token has expired" }
        guard let issued = seconds("iat"), issued - leeway <= now else { return "its ID token is of the future" }
        if let start = seconds("nbf"), start - leeway > now { return "its ID token is not valid yet" }
        guard let given = text("nonce"), OpaqueToken.equal(given, nonce) else { return "its ID token is of another sign-in" }
        guard let subject = text("sub"), (1...255).contains(subject.utf8.count) else { return "its ID token names nobody" }
        return nil
    }
}
