import ServiceKit
import TestSupport
import Testing

@Suite("Errors") struct ErrorTests {
    @Test("Typed errors keep status, code and body") func typed() async throws {
        try await withService(ProbeService.self) { service async throws in
            #expect(try await service.get("/conflict").body == #"{"code":"unique","error":"There is one already"}"#)
            let missing = try await service.get("/missing")
            #expect(missing.status == 403 && missing.body == #"{"missing":["storage://c/x"]}"#)
        }
    }

    @Test("An unknown error is 500; its detail is in the log alone, under the same request id") func unknown() async throws {
        try await withService(ProbeService.self) { service async throws in
            let answer = try await service.get("/broken", headers: ["X-Request-ID": "abc-1"])
            #expect(answer.status == 500 && answer.error == "Internal server error")
            #expect(answer.headers.first(name: "X-Request-ID") == "abc-1")
            let entry = try #require(service.log.entries("A request failed").first)
            #expect(entry["request_id"] as? String == "abc-1")
            #expect((entry["error"] as? String)?.contains("Oops") == true)
        }
    }

    @Test("A dependency that is away is 503 with Retry-After", arguments: ["/away/http", "/away/postgres"])
    func away(path: String) async throws {
        try await withService(ProbeService.self) { service async throws in
            let answer = try await service.get(path)
            #expect(answer.status == 503)
            #expect(answer.headers.first(name: "Retry-After") == "2")
            #expect(!answer.body.contains("10.0.0.7"))
        }
    }

    @Test("A handler that takes too long is stopped: 503") func timeout() async throws {
        try await withService(ProbeService.self) { service async throws in
            let answer = try await service.get("/slow")
            #expect(answer.status == 503 && answer.headers.first(name: "Retry-After") != nil)
        }
    }

    @Test("A service whose routes need callers does not start without an authenticator") func noAuthenticator() async throws {
        await #expect(throws: SettingError.self) {
            try await withService(LockedService.self) { _ in }
        }
    }

    struct LockedService: PlatformService {
        static let name = "locked-api"
        init(_ context: ServiceContext) async throws {}
        func register(on router: PlatformRouter) { router.get("/x", access: .principal) { _, _ in "x" } }
    }
}
