import AsyncHTTPClient
import Hummingbird
import ServiceKit
import TestSupport
import Testing

@Suite("Trace headers") struct TraceTests {
    struct RelayService: PlatformService {
        static let name = "relay-api"
        let context: ServiceContext
        init(_ context: ServiceContext) async throws { self.context = context }
        func register(on router: PlatformRouter) {
            router.get("/relay", access: .anyone) { _, _ in
                var request = HTTPClientRequest(url: try context.settings.url("next.url") + "/show")
                request.carryTrace()
                let answer = try await context.http.execute(request, timeout: .seconds(5))
                return String(buffer: try await answer.body.collect(upTo: 4096))
            }
            router.get("/show", access: .anyone) { request, context in
                ["traceparent", "b3", "sentry-trace", "x-request-id"].map { name in
                    context.trace.fields.first { $0.name == name }?.value ?? "-"
                }.joined(separator: " ")
            }
        }
    }

    @Test("They are carried on to the services that are called") func carried() async throws {
        try await withService(RelayService.self) { next async throws in
            try await withService(RelayService.self, settings: ["next.url": next.url]) { service async throws in
                let answer = try await service.get(
                    "/relay", headers: ["traceparent": "00-a-b-01", "b3": "1-2", "sentry-trace": "3-4", "X-Request-ID": "me.1"])
                #expect(answer.body == "00-a-b-01 1-2 3-4 me.1")
            }
        }
    }
}
