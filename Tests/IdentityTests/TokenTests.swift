import Foundation
import Identity
import JWTKit
import PlatformModel
import ServiceKit
import Synchronization
import Testing

@Suite struct TokenTests {
    private let now = Date()

    private func signer() async throws -> TokenSigner { try await TokenSigner(pem: TokenSigner.generatePEM()) }

    @Test func roundTrip() async throws {
        let signer = try await signer()
        let claims = TokenClaims(
            name: try PrincipalName("default"), kind: .cluster, cluster: "default", jobID: "job-1",
            tokenURI: try ResourceURI("token://c/job/1"),
            expiresAt: now.addingTimeInterval(60))
        let verifier = TokenVerifier(keys: signer.publicKeys)
        #expect(try await verifier.verify(signer.sign(claims)) == claims)
        let caller = try await PlatformAuthenticator(verifier: verifier).caller(token: signer.sign(claims))
        #expect(caller.kind == .cluster && caller.cluster == "default" && caller.tokenURI == "token://c/job/1")
    }

    @Test func keyIDIsTheThumbprintAndSurvivesRotation() async throws {
        let (old, new) = (TokenSigner.generatePEM(), TokenSigner.generatePEM())
        let before = try await TokenSigner(pem: old)
        let after = try await TokenSigner(pem: new + "\n" + old)
        #expect(after.publicKeys.keys.map(\.kid).contains(before.keyID))
        #expect(after.keyID != before.keyID)
        let token = try await before.sign(TokenClaims(name: PrincipalName("alice")))
        #expect(try await TokenVerifier(keys: after.publicKeys).verify(token).name.text == "alice")
        let json = try JSONEncoder().encode(after.publicKeys)
        #expect(try JSONDecoder().decode(PublicKeySet.self, from: json) == after.publicKeys)
        await #expect(throws: SigningKeyError.self) { try await TokenSigner(pem: "nonsense") }
    }

    @Test func refusesWhatIsNotOurs() async throws {
        let (ours, theirs) = (try await signer(), try await signer())
        let verifier = TokenVerifier(keys: ours.publicKeys)
        let token = try await ours.sign(TokenClaims(name: PrincipalName("alice")))
        // Tokens in order: another key, no key id, HS256 with our key id, alg none, changed payload, garbage.
        let symmetric = JWTKeyCollection()
        await symmetric.add(hmac: "a secret of at least thirty-two bytes", digestAlgorithm: .sha256, kid: JWKIdentifier(string: ours.keyID))
        let parts = token.split(separator: ".")
        let none = Data(#"{"alg":"none","kid":"\#(ours.keyID)"}"#.utf8).base64EncodedString()
        let other = try await ours.sign(TokenClaims(name: PrincipalName("admin"))).split(separator: ".")
        let tokens = [
            try await theirs.sign(TokenClaims(name: PrincipalName("alice"))),
            try await symmetric.sign(TokenClaims(name: PrincipalName("alice")), kid: JWKIdentifier(string: ours.keyID)),
            "\(none).\(parts[1]).",
            "\(parts[0]).\(other[1]).\(parts[2])", "garbage", "", "a.b.c", token + "x", String(repeating: "x", count: 20_000),
        ]
        for token in tokens {
            await #expect { try await verifier.verify(token) } throws: { ($0 as? PlatformError)?.status == .unauthorized }
        }
        #expect(try await verifier.verify(token).name.text == "alice")
    }

    @Test func timesCount() async throws {
        let signer = try await signer()
        let moment = Mutex(now)
        let verifier = TokenVerifier(keys: signer.publicKeys, clock: { moment.withLock { $0 } })
        let token = try await signer.sign(TokenClaims(name: PrincipalName("alice"), expiresAt: now.addingTimeInterval(60)))
        _ = try await verifier.verify(token)
        // A cached token expires all the same.
        moment.withLock { $0 = now.addingTimeInterval(100) }
        await #expect { try await verifier.verify(token) } throws: { ($0 as? PlatformError)?.status == .unauthorized }
        let future = try await signer.sign(TokenClaims(name: PrincipalName("alice"), notBefore: now.addingTimeInterval(500)))
        await #expect(throws: PlatformError.self) { try await verifier.verify(future) }
    }

    @Test(arguments: [
        #"{"iat":1}"#, #"{"https://platform.neuromation.io/user":"a","identity":"b"}"#, #"{"identity":"A B"}"#,
        #"{"identity":"a","https://platform.neuromation.io/kind":"root"}"#,
        #"{"identity":"a","https://platform.neuromation.io/kind":"cluster"}"#,
    ]) func refusesClaims(_ text: String) {
        #expect(throws: (any Error).self) { try JSONDecoder().decode(TokenClaims.self, from: Data(text.utf8)) }
    }

    @Test func legacyIdentityIsAccepted() throws {
        let claims = try JSONDecoder().decode(TokenClaims.self, from: Data(#"{"identity":"alice/x","aud":["a","b"],"exp":12.5}"#.utf8))
        #expect(claims.name.text == "alice/x" && claims.kind == .user && claims.audience == ["a", "b"])
    }
}

@Suite struct KeyFetchingTests {
    private struct Away: Error {}

    @Test func fetchesOnceForAllAndAgainForANewKeyOnly() async throws {
        let first = try await TokenSigner(pem: TokenSigner.generatePEM())
        let fetches = Mutex(0)
        let verifier = TokenVerifier(fetch: {
            fetches.withLock { $0 += 1 }
            try await Task.sleep(for: .milliseconds(30))
            return first.publicKeys
        })
        let tokens = try await (0..<20).asyncMap { try await first.sign(TokenClaims(name: PrincipalName("user\($0)"))) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for token in tokens { group.addTask { _ = try await verifier.verify(token) } }
            try await group.waitForAll()
        }
        #expect(fetches.withLock { $0 } == 1)
        // Unknown keys right after a fetch cost no further one.
        for _ in 0..<5 {
            let stranger = try await TokenSigner(pem: TokenSigner.generatePEM())
            await #expect { try await verifier.verify(stranger.sign(TokenClaims(name: PrincipalName("x")))) } throws: {
                ($0 as? PlatformError)?.status == .unauthorized
            }
        }
        #expect(fetches.withLock { $0 } == 1)
    }

    @Test func waitsForAnIssuerThatIsBrieflyAway() async throws {
        let signer = try await TokenSigner(pem: TokenSigner.generatePEM())
        let attempts = Mutex(0)
        let verifier = TokenVerifier(fetch: {
            guard
                attempts.withLock({
                    $0 += 1; return $0
                }) > 3
            else { throw Away() }
            return signer.publicKeys
        })
        let token = try await signer.sign(TokenClaims(name: PrincipalName("alice")))
        #expect(try await verifier.verify(token).name.text == "alice")
        let gone = TokenVerifier(patience: .milliseconds(300), fetch: { throw Away() })
        await #expect { try await gone.verify(token) } throws: { ($0 as? PlatformError)?.status == .serviceUnavailable }
    }
}

extension Sequence {
    fileprivate func asyncMap<T>(_ transform: (Element) async throws -> T) async rethrows -> [T] {
        var result: [T] = []
        for element in self { result.append(try await transform(element)) }
        return result
    }
}
