import PlatformClients
import PlatformModel
import ServiceKit
import TestSupport
import Testing

@Suite struct AuthClientTests {
    private let caller = Caller(name: "alice", token: "hers")
    private let read = Permission(ResourceURI(.job, ["c", "o"]), .read)
    private let write = Permission(ResourceURI(.job, ["c", "o"]), .write)
    private let other = Permission(ResourceURI(.job, ["c", "p"]), .read)

    private func missing(_ permissions: Permission...) -> Stub.Answer {
        let items = permissions.map { #"{"uri": "\#($0.uri)", "action": "\#($0.action.rawValue)"}"# }
        return .init(status: 200, body: #"{"missing": [\#(items.joined(separator: ","))]}"#)
    }

    @Test func oneRoundTripWithTheCallersToken() async throws {
        try await Stub.with(missing(write)) { (stub, script) async throws in
            let client = AuthClient(http: stub.http, baseURL: stub.url, token: Secret("own"))
            #expect(try await client.check([read, write], as: caller) == [write])
            #expect(script.asked.map(\.path) == ["/api/v1/users/alice/permissions/check"])
            #expect(script.asked.first?.headers[.authorization] == "Bearer hers")
            #expect(script.asked.first?.body == #"[{"action":"read","uri":"job://c/o"},{"action":"write","uri":"job://c/o"}]"#)
        }
    }

    @Test func groupsNeedOneOfTheirMembers() async throws {
        try await Stub.with(missing(write)) { (stub, _) async throws in
            let client = AuthClient(http: stub.http, baseURL: stub.url)
            try await client.requireAny(read, write, as: caller)
            try await client.require([[read, write], [other]], as: caller)
            await #expect { try await client.require([[read], [write]], as: caller) } throws: { error in
                let error = error as? PlatformError
                return error?.status == .forbidden && (error?.body as? MissingPermissions)?.missing == [write]
            }
        }
    }

    @Test(arguments: [(401, 401), (403, 401), (404, 401), (422, 422), (400, 400)])
    func refusalsOfTheCallerAreTheCallers(_ status: Int, _ seen: Int) async throws {
        try await Stub.with(.init(status: status, body: #"{"error": "no"}"#)) { (stub, _) async throws in
            let client = AuthClient(http: stub.http, baseURL: stub.url)
            await #expect { try await client.check([read], as: caller) } throws: { ($0 as? PlatformError)?.status.code == seen }
            await #expect { try await client.tree(ResourceURI(.job), as: caller) } throws: { ($0 as? PlatformError)?.status.code == seen }
        }
    }

    @Test func whatIsGoneOrThereAlreadyIsNoError() async throws {
        try await Stub.with(.init(status: 400, body: #"{"error": "Operation has no effect"}"#)) { (stub, script) async throws in
            try await AuthClient(http: stub.http, baseURL: stub.url).revoke([read.uri, other.uri], from: PrincipalName("bob"))
            #expect(script.asked.first?.path == "/api/v1/users/bob/permissions?uri=job%3A%2F%2Fc%2Fo&uri=job%3A%2F%2Fc%2Fp")
        }
        try await Stub.with(.init(status: 409)) { (stub, _) async throws in
            #expect(try await !AuthClient(http: stub.http, baseURL: stub.url).createUser(PrincipalName("bob")))
        }
        try await Stub.with(.init(status: 404)) { (stub, _) async throws in
            let client = AuthClient(http: stub.http, baseURL: stub.url)
            #expect(try await !client.deleteUser(PrincipalName("bob")))
            #expect(try await client.check([read], of: PrincipalName("bob")) == nil)
            #expect(try await !client.exists(PrincipalName("bob")))
        }
    }
}
