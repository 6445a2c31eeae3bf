import Foundation
import Logging
import ServiceKit
import TestSupport
import Testing

@Suite("Logs") struct LogTests {
    @Test("One line a request, with caller and route; a probe's only at debug") func line() async throws {
        try await withService(ProbeService.self) { service async throws in
            _ = try await service.get("/whoami?token=hush&x=1", token: "alice", headers: ["X-Request-ID": "r1"])
            _ = try await service.get("/ping")
            let entry = try #require(service.log.entries("request").first { $0["request_id"] as? String == "r1" })
            #expect(entry["method"] as? String == "GET" && entry["route"] as? String == "/whoami")
            #expect(entry["status"] as? Int == 200 && entry["caller"] as? String == "alice")
            #expect(entry["query"] as? String == "token=***&x=1")
            #expect(entry["duration_ms"] is Int)
            #expect(
                service.log.entries("request").filter { $0["route"] as? String == "/ping" }.allSatisfy { $0["level"] as? String == "debug" }
            )
        }
    }

    @Test(
        "Secrets never reach the log",
        arguments: [
            "Authorization: Bearer abc.def-123", "basic dXNlcjpwYXNz", "got eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln from x",
            "/api/v1/jobs?neuro-auth-token=abc.def-123&x=1", "postgres://user:abc.def-123@host/db", "{\"token\": \"abc.def-123\"}",
            "bearer.apolo.us-abc.def-123", "GET /cb?code=abc.def-123", "password=abc.def-123",
        ])
    func scrubbing(text: String) throws {
        let log = TestLog()
        log.logger("x").info("said", metadata: ["text": "\(text)", "deep": ["list": ["\(text)"]]])
        log.logger("x").info("\(text)")
        #expect(log.lines.count == 2)
        for line in log.lines {
            #expect(!line.contains("abc.def") && !line.contains("dXNlcjpwYXNz") && !line.contains("eyJ"))
            #expect(line.contains("***"))
        }
    }

    @Test("Every line is JSON, whatever is in it") func json() throws {
        let log = TestLog()
        log.logger("x").info("a \"quote\"\n\u{1}\u{2028} é 🦀 \\", metadata: ["level": "mine", "n": .stringConvertible(5)])
        let line = try #require(log.lines.first)
        #expect(line.filter { $0 == "\n" }.count == 1)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["message"] as? String == "a \"quote\"\n\u{1}\u{2028} é 🦀 \\")
        #expect(object["level"] as? String == "info" && object["level_"] as? String == "mine" && object["n"] as? Int == 5)
    }
}
