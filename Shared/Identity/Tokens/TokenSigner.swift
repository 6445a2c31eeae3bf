import Foundation
import JWTKit

/// Signs identity tokens with ES256; the header carries the key's id, its RFC 7638 thumbprint.
public struct TokenSigner: Sendable {
    /// The public halves of all keys, in their order: what the issuer publishes.
    public let publicKeys: PublicKeySet
    /// The id of the key that signs.
    public let keyID: String
    private let keys: JWTKeyCollection

    /// Reads one or several PEM blocks of P-256 private keys. The first signs; the others stay published, so that tokens they signed stand
    /// while keys are rotated.
    /// - Throws: `SigningKeyError`.
    public init(pem: String) async throws {
        var published: [PublicKeySet.Key] = []
        let collection = JWTKeyCollection()
        for block in Self.blocks(pem) {
            guard let key = try? ES256PrivateKey(pem: block), let parameters = key.parameters else { throw SigningKeyError.unreadable }
            let half = PublicKeySet.Key(x: Base64URL.fromBase64(parameters.x), y: Base64URL.fromBase64(parameters.y))
            guard !published.contains(half) else { continue }
            published.append(half)
            await collection.add(ecdsa: key, kid: JWKIdentifier(string: half.kid))
        }
        guard let id = published.first?.kid else { throw SigningKeyError.none }
        self.init(publicKeys: PublicKeySet(keys: published), keyID: id, keys: collection)
    }

    private init(publicKeys: PublicKeySet, keyID: String, keys: JWTKeyCollection) {
        self.publicKeys = publicKeys
        self.keyID = keyID
        self.keys = keys
    }

    /// The same keys, of which another signs: while a new one is made known, an older one goes on.
    /// - Throws: `SigningKeyError.none` when there is no such key.
    public func signing(with id: String) throws -> TokenSigner {
        guard publicKeys.keys.contains(where: { $0.kid == id }) else { throw SigningKeyError.none }
        return TokenSigner(publicKeys: publicKeys, keyID: id, keys: keys)
    }

    /// A compact JWS.
    public func sign(_ claims: TokenClaims) async throws -> String {
        try await keys.sign(claims, kid: JWKIdentifier(string: keyID))
    }

    /// A compact JWS of another payload (an ID token of OpenID Connect, say).
    public func sign(payload: some JWTPayload) async throws -> String {
        try await keys.sign(payload, kid: JWKIdentifier(string: keyID))
    }

    /// A new private key as PEM.
    public static func generatePEM() -> String { ES256PrivateKey().pemRepresentation }

    private static func blocks(_ pem: String) -> [String] {
        let marker = "-----END "
        return pem.components(separatedBy: "-----BEGIN ").dropFirst().compactMap { part in
            part.contains(marker) ? "-----BEGIN " + part.trimmingCharacters(in: .whitespacesAndNewlines) + "\n" : nil
        }
    }
}

/// Why a signing key cannot be used.
public enum SigningKeyError: Error, CustomStringConvertible {
    case none, unreadable

    public var description: String {
        switch self {
        case .none: "there is no PEM block with a private key"
        case .unreadable: "a PEM block is not a P-256 private key"
        }
    }
}
