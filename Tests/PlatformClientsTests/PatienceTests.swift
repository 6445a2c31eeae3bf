import PlatformModel
import ServiceKit
import TestSupport
import Testing

@testable import PlatformClients

@Suite struct PatienceTests {
    private let alice = PrincipalName(checked: "alice")

    @Test func whatMayBeRepeatedIsRepeatedWhileTheServiceIsAway() async throws {
        try await Stub.with(.init(status: 503), .init(status: 502), .init(status: 200)) { (stub, script) async throws in
            #expect(try await AuthClient(http: stub.http, baseURL: stub.url).exists(alice))
            #expect(script.asked.count == 3)
        }
    }

    @Test func whatMayNotBeRepeatedIsNot() async throws {
        try await Stub.with(.init(status: 503, body: #"{"error": "away"}"#)) { (stub, script) async throws in
            let client = AuthClient(http: stub.http, baseURL: stub.url)
            await #expect { try await client.rest.send(.init(method: .POST, path: "/x", repeatable: false)) } throws: { error in
                guard case ClientError.status("auth-api", 503, "away") = error else { return false }
                return true
            }
            #expect(script.asked.count == 1)
        }
    }

    @Test func aServiceThatStartsLateIsWaitedFor() async throws {
        try await Stub.with(.init(status: 200)) { (stub, script) async throws in
            try await TestProxy.with(host: "127.0.0.1", port: stub.port) { proxy in
                try await proxy.cut()
                let client = AuthClient(http: stub.http, baseURL: "http://127.0.0.1:\(proxy.port)")
                async let exists = client.exists(alice)
                try await proxy.restore()
                #expect(try await exists)
            }
        }
    }

    @Test func patienceEnds() async throws {
        try await Stub.with(.init(status: 503)) { (stub, script) async throws in
            var gone = AuthClient(http: stub.http, baseURL: "http://127.0.0.1:9")
            gone.rest.patience = .milliseconds(250)
            await #expect { try await gone.exists(alice) } throws: { error in
                guard case ClientError.unavailable("auth-api", _, mayHaveRun: false) = error else { return false }
                return (error as? ClientError)?.platformError.status == .serviceUnavailable
            }
            var away = AuthClient(http: stub.http, baseURL: stub.url)
            away.rest.patience = .milliseconds(250)
            await #expect { try await away.exists(alice) } throws: { ($0 as? ClientError)?.platformError.status == .serviceUnavailable }
            #expect(script.asked.count == 2)
        }
    }

    @Test func traceAndTokenTravel() async throws {
        try await Stub.with(.init(status: 200)) { (stub, script) async throws in
            let client = AuthClient(http: stub.http, baseURL: stub.url, token: Secret("own"))
            let trace = TraceHeaders([.init("b3") ?? .accept: "1-2"], requestID: "r-1")
            try await TraceHeaders.$current.withValue(trace) { _ = try await client.exists(PrincipalName("alice/service-accounts/ci")) }
            let asked = try #require(script.asked.first)
            #expect(asked.path == "/api/v1/users/alice:service-accounts:ci")
            #expect(asked.headers[.authorization] == "Bearer own")
            #expect(asked.headers[.init("b3") ?? .accept] == "1-2")
            #expect(asked.headers[.init("x-request-id") ?? .accept] == "r-1")
        }
    }
}
