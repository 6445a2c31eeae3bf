import Foundation
import Identity
import JWTKit

/// A provider's published keys (RFC 7517) and the check of a signature with one of them. Which algorithms a key may be used with follows
/// from its kind and from what it says itself, never from the token alone.
struct ProviderKeys: Sendable {
    struct Key: Sendable, Decodable {
        let kty: String
        let kid: String?
        let use: String?
        let alg: String?
        let crv: String?
        let n: String?
        let e: String?
        let x: String?
        let y: String?
    }

    private let keys: [Key]

    /// Keys that cannot be read, and those of other uses, are skipped.
    init(json: Data) throws {
        struct Lenient: Decodable {
            let key: Key?
            init(from decoder: any Decoder) throws { key = try? Key(from: decoder) }
        }
        struct Document: Decodable { let keys: [Lenient] }
        keys = try JSONDecoder().decode(Document.self, from: json).keys.compactMap(\.key).filter { $0.use ?? "sig" == "sig" }
    }

    func contains(_ id: String?) -> Bool { id == nil ? !keys.isEmpty : keys.contains { $0.kid == id } }

    private struct Header: Decodable {
        let alg: String
        let kid: String?
        let crit: [String]?
    }

    /// The key id that a token names.
    static func keyID(of token: String) throws -> String? { try header(of: token).kid }

    /// The claims of a genuinely signed token; its times and names are for the caller to check.
    /// - Throws: ``BrokeringError`` when no key of ours has signed it.
    func verify(_ token: String) async throws -> ProviderClaims {
        let header = try Self.header(of: token)
        guard header.crit == nil else { throw BrokeringError("its ID token has critical extensions") }
        // Without an id a key is unmistakable only when it is alone of its kind.
        let fitting = keys.filter { key in
            (header.kid == nil || key.kid == header.kid) && Self.algorithms(of: key).contains(header.alg)
                && key.alg ?? header.alg == header.alg
        }
        guard fitting.count == 1, let key = fitting.first else {
            throw BrokeringError("its ID token is not signed with a key that it published")
        }
        let collection = JWTKeyCollection()
        try await Self.add(key, for: header.alg, to: collection)
        do {
            return try await collection.verify(token)
        } catch let error as BrokeringError {
            throw error
        } catch {
            throw BrokeringError("the signature of its ID token is wrong")
        }
    }

    /// No `none`, and no algorithm with a shared secret: the provider's public key must never serve as one.
    private static func algorithms(of key: Key) -> Set<String> {
        switch (key.kty, key.crv) {
        case ("RSA", _): ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
        case ("EC", "P-256"): ["ES256"]
        case ("EC", "P-384"): ["ES384"]
        default: []
        }
    }

    private static func add(_ key: Key, for algorithm: String, to collection: JWTKeyCollection) async throws {
        do {
            switch algorithm {
            case "ES256": await collection.add(ecdsa: try ES256PublicKey(parameters: (key.x ?? "", key.y ?? "")))
            case "ES384": await collection.add(ecdsa: try ES384PublicKey(parameters: (key.x ?? "", key.y ?? "")))
            default:
                let rsa = try Insecure.RSA.PublicKey(modulus: key.n ?? "", exponent: key.e ?? "")
                let digest: DigestAlgorithm = algorithm.hasSuffix("256") ? .sha256 : algorithm.hasSuffix("384") ? .sha384 : .sha512
                if algorithm.hasPrefix("PS") {
                    await collection.add(pss: rsa, digestAlgorithm: digest)
                } else {
                    await collection.add(rsa: rsa, digestAlgorithm: digest)
                }
            }
        } catch {
            throw BrokeringError("the key of its ID token cannot be read")
        }
    }

    private static func header(of token: String) throws -> Header {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, token.utf8.count <= 65_536, let data = Base64URL.decode(parts[0]),
            let header = try? JSONDecoder().decode(Header.self, from: data)
        else { throw BrokeringError("its ID token is no JSON Web Token") }
        return header
    }
}

/// Why a provider's answer is not believed. The sentence goes on after "The provider … cannot be believed: ".
struct BrokeringError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
