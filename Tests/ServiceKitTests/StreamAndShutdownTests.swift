import AsyncHTTPClient
import Foundation
import NIOCore
import ServiceKit
import TestSupport
import Testing

@Suite("Streams and shutdown", .timeLimit(.minutes(5))) struct StreamAndShutdownTests {
    @Test("A list is one document a line, complete") func list() async throws {
        try await withService(ProbeService.self) { service async throws in
            let answer = try await service.get("/list")
            #expect(answer.headers.first(name: "Content-Type") == "application/x-ndjson")
            let lines = answer.body.split(separator: "\n")
            #expect(lines.count == 5000 && lines.first == #"{"n":1}"# && lines.last == #"{"n":5000}"# && answer.body.hasSuffix("\n"))
        }
    }

    @Test("A list that breaks off says so in its last line, without detail") func broken() async throws {
        try await withService(ProbeService.self) { service async throws in
            let answer = try await service.get("/list/broken")
            #expect(answer.status == 200)
            #expect(answer.body.split(separator: "\n").last == #"{"error":"Internal server error"}"#)
            #expect(service.log.entries("A stream broke off").count == 1)
        }
    }

    @Test("Ready until the signal; then unready, still serving for the delay, streams end with a last line, then nothing listens")
    func order() async throws {
        let port = try await withService(ProbeService.self, settings: ["shutdown.delay": "0.5"]) { service async throws in
            #expect(try await service.get("/ready").status == 200)
            let stream = try await service.http.execute(HTTPClientRequest(url: service.url + "/follow"), timeout: .seconds(30))
            var parts = stream.body.makeAsyncIterator()
            var text = ""
            while !text.contains(#"{"n":2}"#), let part = try await parts.next() { text += String(buffer: part) }
            service.assembly.shutDown()
            var ready = try await service.get("/ready")
            while ready.status == 200 { ready = try await service.get("/ready") }
            let state = try ready.object()["status"] as? String
            #expect(ready.status == 503 && state == "stopping")
            #expect(try await service.get("/hello").body == "hello")
            while let part = try await parts.next() { text += String(buffer: part) }
            #expect(text == "{\"n\":1}\n{\"n\":2}\n{\"error\":\"The service is stopping; ask again.\"}\n")
            return service.port
        }
        await #expect(throws: (any Error).self) {
            try await RawConnection.with(port: port) { _ in }
        }
    }

    @Test("A handler that does not end is cancelled after the limit") func limit() async throws {
        let start = ContinuousClock.now
        try await withService(StuckService.self, settings: ["shutdown.limit": "0.5"]) { service async throws in
            try await RawConnection.with(port: service.port) { raw in
                try await raw.send("GET /stuck HTTP/1.1\r\nHost: x\r\n\r\n")
                // The request is being served once another one is answered after it.
                #expect(try await service.get("/ping").status == 200)
            }
        }
        #expect(ContinuousClock.now - start < .seconds(15))
    }

    @Test("A follower whose client went away is stopped") func goneClient() async throws {
        try await withService(ProbeService.self) { service async throws in
            try await RawConnection.with(port: service.port) { raw in
                try await raw.send("GET /follow HTTP/1.1\r\nHost: x\r\n\r\n")
                _ = try await raw.read(until: #"{"n":2}"#)
            }
            while service.log.entries("request").allSatisfy({ $0["route"] as? String != "/follow" }) {
                try await Task.sleep(for: .milliseconds(10))
            }
        }
    }

    struct StuckService: PlatformService {
        static let name = "stuck-api"
        init(_ context: ServiceContext) async throws {}
        func register(on router: PlatformRouter) {
            router.get("/stuck", access: .anyone, timeout: nil) { _, _ in
                try await Task.sleep(for: .seconds(600))
                return "never"
            }
        }
    }
}
