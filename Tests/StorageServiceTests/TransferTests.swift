import AsyncHTTPClient
import Foundation
import NIOCore
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10)))
struct TransferTests {
    @Test func pings() async throws {
        try await Platform.run { (platform) async throws in
            let ping = try await platform.storage.get("/api/v1/ping")
            #expect(ping.status == 200 && ping.body.isEmpty)
            #expect(try await platform.storage.get("/ping").body == "Pong")
            #expect(ping["X-Service-Version"]?.hasPrefix("platform-storage-api/") == true)
            #expect(ping["Date"] != nil)
        }
    }

    @Test func aFileGoesInAndComesOut() async throws {
        try await Platform.run { (platform) async throws in
            let made = try await platform.put("/acme/alice/new/deep/f", "test content")
            #expect(made.status == 201 && made.body == "201: Created")
            let read = try await platform.ask("GET", "/acme/alice/new/deep/f")
            let head = try await platform.ask("HEAD", "/acme/alice/new/deep/f", headers: ["Range": "bytes=1-2"])
            #expect(read.status == 200 && read.body == "test content" && head.status == 200)
            for answer in [read, head] {
                #expect(answer["X-File-Type"] == "FILE" && answer["X-File-Permission"] == "read" && answer["X-File-Length"] == "12")
                #expect(answer["Accept-Range"] == "bytes" && answer["Content-Range"] == nil && answer["Content-Length"] == "12")
                #expect(answer["Content-Type"] == "application/octet-stream" && answer["Last-Modified"]?.hasSuffix("GMT") == true)
                #expect(answer["Date"] != nil)
            }
            #expect(read["Last-Modified"] == head["Last-Modified"])
            try await platform.put("/acme/alice/new/deep/f", "less")
            #expect(platform.contents("/acme/alice/new/deep/f") == "less")
            #expect(try await platform.ask("GET", "/acme/alice/new/deep/f/").body == "less", "a trailing slash does not count")
            #expect(try await platform.put("/acme/alice/new", "x").refuses("Destination is a directory", "EISDIR"))
            #expect(try await platform.put("/acme/alice/empty", "").status == 201)
            #expect(platform.contents("/acme/alice/empty") == "")
            #expect(try await platform.ask("GET", "/acme/alice/empty").body == "")
        }
    }

    @Test func aLargeFileGoesThroughInPieces() async throws {
        try await Platform.run { (platform) async throws in
            let piece = ByteBuffer(repeating: 7, count: 100_003)
            let pieces = AsyncStream { continuation in
                for _ in 0..<100 { continuation.yield(piece) }
                continuation.finish()
            }
            let made = try await platform.ask("PUT", "/acme/alice/big", "op=CREATE", body: .stream(pieces, length: .unknown))
            #expect(made.status == 201)
            let read = try await platform.ask("GET", "/acme/alice/big")
            #expect(read.data.count == 10_000_300 && read.data.allSatisfy { $0 == 7 })
        }
    }

    @Test func directoriesAndMissingOnes() async throws {
        try await Platform.run { (platform) async throws in
            try platform.makeFolder("/acme/alice/d")
            for method in ["GET", "HEAD"] {
                #expect(try await platform.ask(method, "/acme/alice/nothing").status == 404)
                let answer = try await platform.ask(method, "/acme/alice/d")
                #expect(answer.status == 200 && answer["X-File-Type"] == "DIRECTORY" && answer["Content-Length"] == "0")
                #expect(answer["X-File-Length"] == nil && answer["Accept-Range"] == nil && answer.body.isEmpty)
            }
            #expect(try await platform.ask("GET", "/acme/alice/nothing").isMissing)
            let range = try await platform.ask("GET", "/acme/alice/d", headers: ["Range": "bytes=0-1"])
            #expect(range.status == 416)
        }
    }

    @Test func methodsAndTokens() async throws {
        try await Platform.run { (platform) async throws in
            let options = try await platform.storage.call(.OPTIONS, "/api/v1/storage/acme")
            #expect(options.status == 405)
            let allowed = Set((options["Allow"] ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) })
            #expect(allowed == ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"])
            for method in ["GET", "PUT", "DELETE"] {
                let answer = try await platform.storage.call(.RAW(value: method), "/api/v1/storage/acme/alice/nothing")
                #expect(answer.status == 401 && answer["WWW-Authenticate"]?.hasPrefix("Bearer") == true)
            }
            #expect(try await platform.storage.get("/api/v1/storage").status == 404)
        }
    }

    @Test(arguments: [
        ("bytes=5-8", "5-8", "cont"), ("bytes=5-", "5-11", "content"), ("bytes=-4", "8-11", "tent"), ("bytes=0-99", "0-11", "test content"),
        ("bytes=-500", "0-11", "test content"),
    ])
    func ranges(asked: String, given: String, text: String) async throws {
        try await Platform.run { (platform) async throws in
            try platform.write("/acme/alice/f", "test content")
            let answer = try await platform.ask("GET", "/acme/alice/f", headers: ["Range": asked, "If-Range": "x"])
            #expect(answer.status == 206 && answer.body == text)
            #expect(answer["Content-Range"] == "bytes \(given)/12" && answer["X-File-Length"] == "12")
            #expect(answer["Content-Length"] == "\(text.utf8.count)")
        }
    }

    @Test func rangesThatCannotBe() async throws {
        try await Platform.run { (platform) async throws in
            try platform.write("/acme/alice/f", "test content")
            try platform.write("/acme/alice/empty", "")
            let wrong = [
                "bytes=5-4", "bytes=12-", "chars=5-8", "bytes=0-1,3-4", "bytes=", "bytes=-", "bytes=-0", "bytes=a-b", "bytes 1-2", "x",
                "bytes=99999999999999999999-",
            ]
            for range in wrong {
                let answer = try await platform.ask("GET", "/acme/alice/f", headers: ["Range": range])
                #expect(answer.status == 416 && answer["Content-Range"] == "bytes */12" && answer.body.isEmpty, "\(range)")
            }
            #expect(try await platform.ask("GET", "/acme/alice/empty", headers: ["Range": "bytes=0-"]).status == 416)
        }
    }

    private func patch(
        _ platform: Platform, _ path: String, _ range: String?, _ text: String, _ more: [String: String] = [:]
    ) async throws -> TestAnswer {
        var headers = more
        headers["Content-Range"] = range
        return try await platform.ask("PATCH", path, "op=WRITE", headers: headers, body: .bytes(ByteBuffer(string: text)))
    }

    @Test func partsAreWrittenWhereTheyBelong() async throws {
        try await Platform.run { (platform) async throws in
            for (range, text, result) in [
                ("bytes 5-8/12", "spam", "test spament"), ("bytes 5-8/*", "spam", "test spament"),
                ("bytes 15-18/20", "ham", "test content\0\0\0ham"), ("bytes 0-1/*", "longer", "lost content"),
            ] {
                try platform.write("/acme/alice/f", "test content")
                let answer = try await patch(platform, "/acme/alice/f", range, text)
                #expect(answer.status == 200 && answer.body == "200: OK")
                #expect(platform.contents("/acme/alice/f") == result)
            }
        }
    }

    @Test func partsThatCannotBeWritten() async throws {
        try await Platform.run { (platform) async throws in
            try platform.write("/acme/alice/f", "test content")
            let path = "/acme/alice/f"
            let absent = try await patch(platform, path, nil, "x")
            #expect(absent.status == 400 && absent.body == "400: Required header Content-Range")
            for range in [
                "bytes 5-8", "bytes 8-5/12", "chars 5-8/12", "bytes 5-8/x", "bytes */12", "bytes 1-99999999999999999999/*",
                "bytes 1-9223372036854775807/*", "",
            ] {
                #expect(try await patch(platform, path, range, "x").status == 400, "\(range)")
            }
            let type = try await patch(platform, path, "bytes 0-0/*", "x", ["Content-Type": "text/plain"])
            #expect(type.status == 400 && type.body == "400: Content-Type should be application/octet-stream")
            for name in ["If-Match", "If-None-Match", "If-Unmodified-Since", "If-Range"] {
                let answer = try await patch(platform, path, "bytes 0-0/*", "x", [name: "x"])
                #expect(answer.status == 400 && answer.body.hasPrefix("400: Unsupported header"), "\(name)")
            }
            #expect(platform.contents(path) == "test content")
            #expect(try await patch(platform, "/acme/alice/none", "bytes 0-0/*", "x").isMissing)
            #expect(!platform.exists("/acme/alice/none"))
            #expect(try await patch(platform, "/acme/alice", "bytes 0-0/*", "x").refuses("Destination is a directory", "EISDIR"))
        }
    }

    @Test func whatHadComeOfABrokenUploadStays() async throws {
        try await Platform.run { (platform) async throws in
            let token = try await platform.token("alice")
            let text = String(repeating: "x", count: 70_000)
            try await RawConnection.with(port: platform.storage.port) { connection in
                try await connection.send(
                    "PUT /api/v1/storage/acme/alice/broken HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\nContent-Length: 9000000\r\n\r\n"
                        + text)
            }
            try await eventually { platform.contents("/acme/alice/broken") == text }
        }
    }

    @Test func whoAsksWhetherToSendIsToldAfterTheCheck() async throws {
        try await Platform.run { (platform) async throws in
            let token = try await platform.token("alice")
            func head(_ path: String) -> String {
                "PUT /api/v1/storage\(path) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
            }
            try await RawConnection.with(port: platform.storage.port) { connection in
                try await connection.send(head("/acme/alice/asked"))
                #expect(try await connection.read(until: "\r\n\r\n")?.hasPrefix("HTTP/1.1 100") == true)
                try await connection.send("hello")
                #expect(try await connection.read(until: "201: Created")?.hasPrefix("HTTP/1.1 201") == true)
            }
            #expect(platform.contents("/acme/alice/asked") == "hello")
            try await RawConnection.with(port: platform.storage.port) { connection in
                try await connection.send(head("/acme/bob/asked"))
                #expect(try await connection.readToEnd().hasPrefix("HTTP/1.1 404"))
            }
        }
    }
}

func eventually(_ condition: @Sendable () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(30)
    while try await !condition() {
        try #require(.now < deadline, "It does not come to be")
        try await Task.sleep(for: .milliseconds(20))
    }
}
