import Foundation
import JWTKit

/// Signs identity tokens with ES256; the header carries the key's id, its RFC 7638 thumbprint.
public struct TokenSigner: Sendable {
    /// The public halves of all keys, the signing one first: what the issuer publishes.
    public let publicKeys: PublicKeySet
    /// The id of the key that signs.
    public let keyID: String
    private let keys: JWTKeyCollection

    /// Reads one or several PEM blocks of P-256 private keys. The first signs; the others only stay published, so that tokens they signed
    /// stand while keys are rotated.
    /// - Throws: `SigningKeyError`.
    public init(pem: String) async throws {
        var published: [PublicKeySet.Key] = []
        var first: ES256PrivateKey?
        for block in Self.blocks(pem) {
            guard let key = try? ES256PrivateKey(pem: block), let parameters = key.parameters else { throw SigningKeyError.unreadable }
            published.append(.init(x: Base64URL.fromBase64(parameters.x), y: Base64URL.fromBase64(parameters.y)))
            first = first ?? key
        }
        guard let first, let id = published.first?.kid else { throw SigningKeyError.none }
        keys = JWTKeyCollection()
        await keys.add(ecdsa: first, kid: JWKIdentifier(string: id))
        publicKeys = PublicKeySet(keys: published)
        keyID = id
    }

    /// A compact JWS.
    public func sign(_ claims: TokenClaims) async throws -> String {
        try await keys.sign(claims, kid: JWKIdentifier(string: keyID))
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
