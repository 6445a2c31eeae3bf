import Crypto
import Foundation
import Identity
import JWTKit
import PlatformModel
import Testing

@testable import AuthService

/// ID tokens that a provider did not sign, or did not sign for us.
@Suite struct ForgedTokenTests {
    struct Payload: JWTPayload {
        var iss = "https://idp.example"
        var sub: String? = "1"
        var aud = ["us"]
        var azp: String?
        var exp: Double? = Date().timeIntervalSince1970 + 600
        var iat: Double? = Date().timeIntervalSince1970
        var nonce: String? = "n"
        func verify(using algorithm: some JWTAlgorithm) async throws {}
    }

    private func keys(_ more: String = "") throws -> (ES256PrivateKey, String) {
        let key = ES256PrivateKey()
        let parts = try #require(key.parameters)
        let plain = [parts.x, parts.y].map { $0.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "") }
        return (
            key, #"{"keys":[{"kty":"EC","crv":"P-256","kid":"k","x":"\#(plain[0])","y":"\#(plain[1])"\#(more)},{"kty":"oct","k":"AA"}]}"#
        )
    }

    private func token(_ payload: Payload, _ key: ES256PrivateKey, kid: String = "k") async throws -> String {
        try await JWTKeyCollection().add(ecdsa: key, kid: .init(string: kid)).sign(payload, kid: .init(string: kid))
    }

    private func refusal(_ change: (inout Payload) -> Void) async throws -> String? {
        let (key, json) = try keys()
        var payload = Payload()
        change(&payload)
        let claims = try await ProviderKeys(json: Data(json.utf8)).verify(token(payload, key))
        return claims.refusal(issuer: "https://idp.example", client: "us", nonce: "n", now: Date())
    }

    @Test func aGoodOneIsBelieved() async throws {
        #expect(try await refusal { _ in } == nil)
        #expect(
            try await refusal {
                $0.aud = ["us", "them"]; $0.azp = "us"
            } == nil)
        // Clocks of a minute's difference.
        #expect(
            try await refusal {
                $0.exp = Date().timeIntervalSince1970 - 30; $0.iat = Date().timeIntervalSince1970 + 30
            } == nil)
    }

    @Test func whatIsNotForUsIsNot() async throws {
        #expect(try await refusal { $0.iss = "https://idp.example/" } != nil)
        #expect(try await refusal { $0.aud = ["them"] } != nil)
        #expect(try await refusal { $0.aud = [] } != nil)
        #expect(try await refusal { $0.aud = ["us", "them"] } != nil)
        #expect(try await refusal { $0.azp = "them" } != nil)
        #expect(try await refusal { $0.nonce = "other" } != nil)
        #expect(try await refusal { $0.nonce = nil } != nil)
        #expect(try await refusal { $0.exp = Date().timeIntervalSince1970 - 120 } != nil)
        #expect(try await refusal { $0.exp = nil } != nil)
        #expect(try await refusal { $0.iat = Date().timeIntervalSince1970 + 600 } != nil)
        #expect(try await refusal { $0.iat = nil } != nil)
        #expect(try await refusal { $0.sub = nil } != nil)
        #expect(try await refusal { $0.sub = "" } != nil)
    }

    @Test func whatNoKeySignedIsNothing() async throws {
        let (key, json) = try keys()
        let ours = try ProviderKeys(json: Data(json.utf8))
        let good = try await token(Payload(), key)
        let parts = good.split(separator: ".")
        func header(_ text: String) -> String { Base64URL.encode(Data(text.utf8)) }
        // The public key as a shared secret: the oldest trick.
        let hmac = try await JWTKeyCollection()
            .add(hmac: HMACKey(key: SymmetricKey(data: Data(key.publicKey.pemRepresentation.utf8))), digestAlgorithm: .sha256, kid: "k")
            .sign(Payload(), kid: "k")
        let forged = [
            try await token(Payload(), ES256PrivateKey()), try await token(Payload(), key, kid: "unknown"), hmac,
            header(#"{"alg":"none","kid":"k"}"#) + ".\(parts[1]).", header(#"{"alg":"ES384","kid":"k"}"#) + ".\(parts[1]).\(parts[2])",
            header(#"{"alg":"ES256","kid":"k","crit":["x"]}"#) + ".\(parts[1]).\(parts[2])", "\(parts[0]).\(parts[1]).", "a.b.c", "", "x",
            "\(parts[0]).\(header(#"{"iss":"https://idp.example","sub":"admin"}"#)).\(parts[2])",
        ]
        for token in forged {
            await #expect(throws: BrokeringError.self, "\(token.prefix(60))") { _ = try await ours.verify(token) }
        }
        // A key says itself what it is for.
        for more in [#","use":"enc""#, #","alg":"ES384""#] {
            let (key, json) = try keys(more)
            let keys = try ProviderKeys(json: Data(json.utf8))
            let token = try await token(Payload(), key)
            await #expect(throws: BrokeringError.self) { _ = try await keys.verify(token) }
        }
    }
}
