import AsyncHTTPClient
import Foundation
import NIOCore
import ServiceKit
import TestSupport
import Testing

@Suite("Bodies") struct BodyTests {
    private func post(_ service: TestService, _ text: String) async throws -> TestAnswer {
        var request = HTTPClientRequest(url: service.url + "/pets")
        request.method = .POST
        request.body = .bytes(ByteBuffer(string: text))
        return try await service.call(request)
    }

    @Test("A JSON body comes back, its dates in the platform's form") func json() async throws {
        try await withService(ProbeService.self) { service async throws in
            let answer = try await post(service, #"{"name": "Grau/é", "age": 3, "born": "2026-01-02T05:04:05.5+02:00"}"#)
            #expect(answer.status == 201)
            #expect(answer.headers.first(name: "Content-Type") == "application/json; charset=utf-8")
            #expect(answer.body == #"{"age":3,"born":"2026-01-02T03:04:05.500000+00:00","name":"Grau/é"}"#)
        }
    }

    @Test(
        "A bad body is 400 with one sentence that names the field",
        arguments: [
            ("{\"age\": 1}", "name: is required"), ("{\"name\": 5, \"age\": 1}", "name: expected a string"),
            ("{\"name\": \"x\", \"age\": \"1\"}", "age: expected a whole number"),
            ("{\"name\": \"x\", \"age\": 1, \"tags\": [\"a\", 5]}", "tags[1]: expected a string"),
            ("{\"name\": \"x\", \"age\": 1, \"tags\": {}}", "tags: expected a list"),
            ("{\"name\": null, \"age\": 1}", "name: must not be null, expected a string"),
            ("{\"name\": \"x\", \"age\": 1, \"born\": \"soon\"}", "born: expected a time such as 2026-01-31T12:00:00+00:00"),
            ("{", "The body is not valid JSON."), ("", "The body is empty; expected JSON."), ("[]", "body: expected an object"),
        ])
    func mistakes(body: String, sentence: String) async throws {
        try await withService(ProbeService.self) { service async throws in
            let answer = try await post(service, body)
            #expect(answer.status == 400)
            #expect(answer.error == sentence)
        }
    }

    @Test("A client that waits for 100 Continue is told when the body is wanted, and only then") func expectation() async throws {
        try await withService(ProbeService.self) { service async throws in
            try await RawConnection.with(port: service.port) { (raw) async throws in
                for _ in 1...2 {
                    try await raw.send("PUT /small HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
                    #expect(try await raw.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
                    try await raw.send("abcd")
                    let answer = try #require(try await raw.read(until: "\r\n\r\n4"))
                    #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
                }
                // Refused before it is read.
                try await raw.send("PUT /small HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n")
                #expect(try await raw.readToEnd().hasPrefix("HTTP/1.1 413"))
            }
        }
    }

    @Test("A body over the route's limit is 413, stated or streamed, and the connection closes") func limit() async throws {
        try await withService(ProbeService.self) { service async throws in
            var request = HTTPClientRequest(url: service.url + "/small")
            request.method = .PUT
            request.body = .bytes(ByteBuffer(string: "0123456789"))
            #expect(try await service.call(request).body == "10")
            for framing in ["Content-Length: 11\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n"] {
                let text = try await RawConnection.with(port: service.port) { raw in
                    try await raw.send("PUT /small HTTP/1.1\r\nHost: x\r\n" + framing)
                    return try await raw.readToEnd()
                }
                #expect(text.hasPrefix("HTTP/1.1 413"))
                #expect(text.lowercased().contains("connection: close"))
            }
            request.url = service.url + "/pets"
            request.method = .POST
            request.body = .bytes(ByteBuffer(repeating: 32, count: (1 << 20) + 1))
            let answer = try await service.call(request)
            #expect(answer.status == 413 && answer.error != nil)
        }
    }

    @Test("A refusal does not read the upload to its end", .timeLimit(.minutes(5))) func unread() async throws {
        try await withService(ProbeService.self) { service async throws in
            let text = try await RawConnection.with(port: service.port) { raw in
                try await raw.send("PUT /refused HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\nsome")
                return try await raw.readToEnd()
            }
            #expect(text.hasPrefix("HTTP/1.1 403"))
            #expect(text.lowercased().contains("connection: close"))
        }
    }

    @Test("A refusal whose body was read keeps the connection") func kept() async throws {
        try await withService(ProbeService.self) { service async throws in
            let (first, second) = try await RawConnection.with(port: service.port) { raw in
                try await raw.send("POST /pets HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
                let first = try await raw.read(until: "is required")
                try await raw.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
                return (first, try await raw.read(until: "hello"))
            }
            #expect(first?.hasPrefix("HTTP/1.1 400") == true)
            #expect(second?.hasPrefix("HTTP/1.1 200") == true)
        }
    }

    @Test("A client that sends its head or body drop by drop is dropped", .timeLimit(.minutes(5))) func slow() async throws {
        try await withService(ProbeService.self, settings: ["http.idle.timeout": "0.3"]) { service async throws in
            for text in ["", "GET /hel", "POST /pets HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{"] {
                _ = try await RawConnection.with(port: service.port) { raw in
                    if !text.isEmpty { try await raw.send(text) }
                    return try await raw.readToEnd()
                }
            }
        }
    }
}
