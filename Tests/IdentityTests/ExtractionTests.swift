import HTTPTypes
import Hummingbird
import Identity
import Logging
import NIOCore
import PlatformModel
import ServiceKit
import Testing

@Suite struct ExtractionTests {
    private func caller(_ path: String, _ headers: [(HTTPField.Name, String)]) async throws -> (Caller?, String) {
        let signer = try await TokenSigner(pem: TokenSigner.generatePEM())
        let token = try await signer.sign(TokenClaims(name: PrincipalName("alice")))
        var fields = HTTPFields()
        for (name, value) in headers { fields.append(HTTPField(name: name, value: value.replacing("TOKEN", with: token))) }
        let head = HTTPRequest(
            method: .get, scheme: "http", authority: "x", path: path.replacing("TOKEN", with: token), headerFields: fields)
        let authenticator = PlatformAuthenticator(verifier: TokenVerifier(keys: signer.publicKeys))
        return (
            try await authenticator.caller(Request(head: head, body: .init(buffer: ByteBuffer())), logger: Logger(label: "test")), token
        )
    }

    @Test(arguments: ["Bearer TOKEN", "bearer TOKEN", "BEARER TOKEN"]) func fromTheHeader(_ value: String) async throws {
        let (caller, token) = try await caller("/x?neuro-auth-token=garbage", [(.authorization, value)])
        #expect(caller?.name == "alice" && caller?.token == token && caller?.kind == .user)
    }

    @Test(arguments: [
        "v2.channels.neu.ro bearer.apolo.us-TOKEN", "v2.channels.neu.ro, bearer.apolo.us-TOKEN, other", "Bearer.Apolo.US-TOKEN",
    ])
    func fromASubprotocol(_ value: String) async throws {
        let (caller, _) = try await caller("/x?neuro-auth-token=garbage", [(.secWebSocketProtocol, value)])
        #expect(caller?.name == "alice")
    }

    @Test func fromTheQuery() async throws {
        #expect(try await caller("/x?a=b&neuro-auth-token=TOKEN", []).0?.name == "alice")
        #expect(try await caller("/x?a=b", []).0 == nil)
        #expect(try await caller("/x", [(.secWebSocketProtocol, "v4.channel.k8s.io")]).0 == nil)
    }

    @Test(arguments: ["Basic YTpi", "Bearer", "Bearer ", "TOKEN"]) func aHeaderThatCannotBeReadDecidesAlone(_ value: String) async throws {
        await #expect { _ = try await caller("/x?neuro-auth-token=TOKEN", [(.authorization, value)]) } throws: {
            ($0 as? PlatformError)?.status == .badRequest
        }
    }

    @Test func aBadTokenIsNotNobody() async throws {
        await #expect { _ = try await caller("/x?neuro-auth-token=TOKEN", [(.authorization, "Bearer x TOKEN")]) } throws: {
            ($0 as? PlatformError)?.status == .unauthorized
        }
    }
}
