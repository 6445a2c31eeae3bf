import AsyncHTTPClient
import Crypto
import Foundation
import NIOCore
import ServiceKit

/// Verifies identity tokens on the spot: structure, key, signature, times. Whether the principal still exists and a bound token still
/// stands is auth-api's word, not known here.
public final class TokenVerifier: Sendable {
    private let loader: KeyLoader
    private let cache: TokenCache
    private let clock: @Sendable () -> Date
    private let leeway = 10.0

    /// Verifies with fixed keys: auth-api itself, and tests.
    public convenience init(keys: PublicKeySet, clock: @escaping @Sendable () -> Date = { Date() }) {
        self.init(
            loader: KeyLoader(minimumInterval: .seconds(86_400), maximumAge: .seconds(1 << 40), patience: .zero) { keys }, clock: clock)
    }

    /// Verifies with the keys that `fetch` gets. An unknown key id fetches again, at most every 5 s; keys are renewed every 10 minutes; while
    /// there are none a caller waits up to `patience` before 503.
    public convenience init(
        patience: Duration = .seconds(10), clock: @escaping @Sendable () -> Date = { Date() },
        fetch: @escaping @Sendable () async throws -> PublicKeySet
    ) {
        self.init(
            loader: KeyLoader(minimumInterval: .seconds(5), maximumAge: .seconds(600), patience: patience, fetch), clock: clock)
    }

    /// Verifies with the keys that auth-api publishes below `authURL` (an origin).
    public convenience init(authURL: String, http: HTTPClient, patience: Duration = .seconds(10)) {
        self.init(patience: patience) {
            let response = try await http.execute(HTTPClientRequest(url: authURL + "/.well-known/jwks.json"), timeout: .seconds(3))
            guard response.status == .ok else { throw PlatformError.unavailable() }
            let body = try await response.body.collect(upTo: 1 << 20)
            return try JSONDecoder().decode(PublicKeySet.self, from: Data(body.readableBytesView))
        }
    }

    private init(loader: KeyLoader, clock: @escaping @Sendable () -> Date) {
        self.loader = loader
        self.clock = clock
        cache = TokenCache(lifetime: .seconds(5), capacity: 10_000)
    }

    /// The claims of a genuine token.
    /// - Throws: `PlatformError` 401 for a token that does not stand; 503 when the issuer's keys cannot be had.
    public func verify(_ token: String) async throws -> TokenClaims {
        guard token.utf8.count <= 16_384 else { throw PlatformError.unauthorized("The token is too long") }
        let digest = SHA256.hash(data: Data(token.utf8))
        if let claims = cache.claims(digest) {
            if let reason = claims.refusal(at: clock(), leeway: leeway) { throw PlatformError.unauthorized(reason) }
            return claims
        }
        let header = try Self.header(of: token)
        // The library would fall back to its default key for an unknown id, and to any algorithm that the header names.
        guard header.alg == "ES256", let id = header.kid, header.crit == nil else {
            throw PlatformError.unauthorized("The token is not signed with a key of this platform")
        }
        let keys = try await loader.keys(for: id)
        guard keys.ids.contains(id) else { throw PlatformError.unauthorized("The token is not signed with a key of this platform") }
        let claims: TokenClaims
        do {
            claims = try await keys.collection.verify(token)
        } catch {
            throw PlatformError.unauthorized("The token is not valid")
        }
        if let reason = claims.refusal(at: clock(), leeway: leeway) { throw PlatformError.unauthorized(reason) }
        cache.store(claims, for: digest)
        return claims
    }

    private struct Header: Decodable {
        let alg: String?
        let kid: String?
        let crit: [String]?
    }

    private static func header(of token: String) throws -> Header {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let data = Base64URL.decode(parts[0]), let header = try? JSONDecoder().decode(Header.self, from: data)
        else {
            throw PlatformError.unauthorized("The token is not a JSON Web Token")
        }
        return header
    }
}
