import AsyncHTTPClient
import Foundation
import NIOCore
import ServiceKit

/// A provider as it is reached: its endpoints and keys, read when they are needed and kept for ten minutes.
actor Provider {
    /// What of a provider's discovery document is used.
    struct Metadata: Sendable, Decodable {
        let issuer: String
        let authorizationEndpoint: String
        let tokenEndpoint: String
        let jwksURI: String
        let authMethods: [String]?

        enum CodingKeys: String, CodingKey {
            case issuer
            case authorizationEndpoint = "authorization_endpoint"
            case tokenEndpoint = "token_endpoint"
            case jwksURI = "jwks_uri"
            case authMethods = "token_endpoint_auth_methods_supported"
        }
    }

    nonisolated let settings: ProviderSettings
    private let http: HTTPClient
    private var metadata: (value: Metadata, readAt: ContinuousClock.Instant)?
    private var keys: (value: ProviderKeys, readAt: ContinuousClock.Instant)?

    private static let maximumAge = Duration.seconds(600)
    private static let minimumInterval = Duration.seconds(5)
    private static let maximumBody = 1 << 20

    init(_ settings: ProviderSettings, http: HTTPClient) {
        self.settings = settings
        self.http = http
    }

    /// - Throws: ``BrokeringError``; 503 when the provider does not answer.
    func endpoints() async throws -> Metadata {
        if let metadata, .now - metadata.readAt < Self.maximumAge { return metadata.value }
        let base = settings.issuer.hasSuffix("/") ? String(settings.issuer.dropLast()) : settings.issuer
        let data = try await get(base + "/.well-known/openid-configuration")
        guard let value = try? JSONDecoder().decode(Metadata.self, from: data) else {
            throw BrokeringError("its discovery document cannot be read")
        }
        guard value.issuer == settings.issuer else { throw BrokeringError("it calls itself \(value.issuer.prefix(200))") }
        // A provider that is reached safely must not lead anywhere that is not.
        let isSecure = settings.issuer.hasPrefix("https://")
        for url in [value.authorizationEndpoint, value.tokenEndpoint, value.jwksURI] {
            guard url.hasPrefix("https://") || (!isSecure && url.hasPrefix("http://")) else {
                throw BrokeringError("its endpoints are not https")
            }
        }
        metadata = (value, .now)
        return value
    }

    /// Exchanges a code and verifies the ID token that comes of it; who signed in, in the provider's words.
    func redeem(_ code: String, redirectURI: String, verifier: String, nonce: String) async throws -> ProviderClaims {
        let endpoints = try await endpoints()
        var form = [
            ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirectURI), ("code_verifier", verifier),
            ("client_id", settings.clientID),
        ]
        var request = HTTPClientRequest(url: endpoints.tokenEndpoint)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
        request.headers.add(name: "Accept", value: "application/json")
        if let secret = settings.clientSecret?.value {
            // Basic unless the provider says that it takes the form alone (RFC 6749 §2.3.1).
            if let methods = endpoints.authMethods, !methods.contains("client_secret_basic"), methods.contains("client_secret_post") {
                form.append(("client_secret", secret))
            } else {
                let pair = "\(ReturnTarget.encode(settings.clientID)):\(ReturnTarget.encode(secret))"
                request.headers.add(name: "Authorization", value: "Basic " + Data(pair.utf8).base64EncodedString())
            }
        }
        request.body = .bytes(ByteBuffer(string: form.map { "\($0.0)=\(ReturnTarget.encode($0.1))" }.joined(separator: "&")))
        struct Answer: Decodable { let id_token: String }
        guard let answer = try? JSONDecoder().decode(Answer.self, from: try await body(of: request)) else {
            throw BrokeringError("it gave no ID token for its code")
        }
        let claims = try await keys(for: ProviderKeys.keyID(of: answer.id_token)).verify(answer.id_token)
        if let reason = claims.refusal(issuer: settings.issuer, client: settings.clientID, nonce: nonce, now: Date()) {
            throw BrokeringError(reason)
        }
        return claims
    }

    /// An unknown id has the keys read again: the provider may have rotated them.
    private func keys(for id: String?) async throws -> ProviderKeys {
        if let keys {
            let age = ContinuousClock.now - keys.readAt
            if age < Self.minimumInterval || (age < Self.maximumAge && keys.value.contains(id)) { return keys.value }
        }
        let data = try await get(endpoints().jwksURI)
        guard let value = try? ProviderKeys(json: data) else { throw BrokeringError("its keys cannot be read") }
        keys = (value, .now)
        return value
    }

    private func get(_ url: String) async throws -> Data {
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "Accept", value: "application/json")
        return try await body(of: request)
    }

    private func body(of request: HTTPClientRequest) async throws -> Data {
        let response: HTTPClientResponse
        let body: ByteBuffer
        do {
            response = try await http.execute(request, timeout: .seconds(10))
            body = try await response.body.collect(upTo: Self.maximumBody)
        } catch let error where !(error is CancellationError) {
            throw PlatformError.unavailable("\(settings.name) does not answer; try again.")
        }
        guard response.status == .ok else { throw BrokeringError("it answered \(response.status.code)") }
        return Data(body.readableBytesView)
    }
}
