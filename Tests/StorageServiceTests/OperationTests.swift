import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#endif

@Suite(.timeLimit(.minutes(10)))
struct OperationTests {
    @Test func operationsAreChosenByTheQuery() async throws {
        try await Platform.run { (platform) async throws in
            for (method, query, error) in [
                ("PUT", "op=OPEN", "Illegal operation: OPEN"), ("GET", "op=CREATE", "Illegal operation: CREATE"),
                ("GET", "op=unknown", "'UNKNOWN' is not a valid StorageOperation"), ("GET", "op=", "'' is not a valid StorageOperation"),
                ("GET", "op=it's", "\"IT'S\" is not a valid StorageOperation"), ("DELETE", "mkdirs", "Illegal operation: MKDIRS"),
            ] {
                let answer = try await platform.ask(method, "/acme/alice", query)
                #expect(answer.refuses(error), "\(method) \(query): \(answer.body)")
            }
            for query in ["op=liststatus&open", "liststatus&open", "op=open&OPEN"] {
                let answer = try await platform.ask("GET", "/acme/alice", query)
                #expect(answer.status == 400 && answer.error?.hasPrefix("Ambiguous operations: ") == true)
            }
            for query in ["liststatus", "op=liststatus", "LISTSTATUS=", "ListStatus=1", "op=LISTSTATUS&op=OPEN", "op=LISTSTATUS&Op=OPEN"] {
                let answer = try await platform.ask("GET", "/acme/alice", query)
                #expect(answer.status == 200 && answer.body.contains("FileStatuses"), "\(query): \(answer.body)")
            }
            #expect(try await platform.ask("HEAD", "/acme/alice", "op=what").status == 200)
        }
    }

    @Test func listings() async throws {
        try await Platform.run { (platform) async throws in
            let start = Int(Date().timeIntervalSince1970) - 1
            try platform.makeFolder("/acme/alice/d/empty")
            try platform.write("/acme/alice/d/.f", "four")
            try platform.link("/acme/alice/d/dangling", to: "/nowhere")
            let entries = try await platform.list("/acme/alice/d")
            #expect(Set(entries.keys) == [".f", "empty", "dangling"])
            let file = try #require(entries[".f"])
            #expect(file.type == "FILE" && file.length == 4 && file.permission == "manage" && file.modificationTime >= start)
            #expect(entries["dangling"]?.type == "SYMLINK" && entries["dangling"]?.length == 1)
            #expect(entries["empty"]?.type == "DIRECTORY" && entries["empty"]?.length == 0)
            #expect(try await platform.list("/acme/alice/d/empty").isEmpty)

            let lines = ["Accept": "application/x-ndjson"]
            let stream = try await platform.ask("GET", "/acme/alice/d", "op=LISTSTATUS", headers: lines)
            #expect(stream.status == 200 && stream["Content-Type"] == "application/x-ndjson")
            let records = stream.body.components(separatedBy: "\r\n").dropLast()
            #expect(
                Set(try records.map { try JSONDecoder().decode(Status.self, from: Data($0.utf8)).FileStatus.path }) == Set(entries.keys))
            let none = try await platform.ask("GET", "/acme/alice/d/empty", "op=LISTSTATUS", headers: lines)
            #expect(none.status == 200 && none.body.isEmpty)

            #expect(try await platform.ask("GET", "/acme/alice/no", "op=LISTSTATUS").isMissing)
            let missing = try await platform.ask("GET", "/acme/alice/no", "op=LISTSTATUS", headers: lines)
            #expect(missing.status == 404)
            #expect(try Refusal(missing) == Refusal("Not found", "ENOENT"))
            for headers in [[:], lines] {
                let file = try await platform.ask("GET", "/acme/alice/d/.f", "op=LISTSTATUS", headers: headers)
                #expect(file.refuses("Not a directory", "ENOTDIR"))
            }
        }
    }

    @Test func fiveThousandFilesAreListedOnceEach() async throws {
        try await Platform.run { (platform) async throws in
            try platform.makeFolder("/acme/alice/many")
            for number in 0..<5000 { try platform.write("/acme/alice/many/\(number)", "") }
            #expect(try await platform.list("/acme/alice/many").count == 5000)
            let stream = try await platform.ask(
                "GET", "/acme/alice/many", "op=LISTSTATUS", headers: ["Accept": "text/html, application/x-ndjson"])
            #expect(Set(stream.body.components(separatedBy: "\r\n").dropLast()).count == 5000)
        }
    }

    @Test func namesThatAreNoText() async throws {
        try await Platform.run { (platform) async throws in
            for byte: UInt8 in [0xFF, 0xFE] {
                let name = Array((platform.root + "/acme/alice/n").utf8CString.dropLast()) + [CChar(bitPattern: byte), 0]
                #expect(creat(name, 0o644) >= 0)
            }
            try await platform.put("/acme/alice/%22q%5C%0A%C3%BC%F0%9F%98%80", "x")
            let text = try await platform.ask("GET", "/acme/alice", "op=LISTSTATUS").body
            #expect(text.contains(#""n\udcff""#) && text.contains(#""n\udcfe""#))
            #expect(text.contains(#""\"q\\\u000aü😀""#), "\(text)")
            #expect(try await platform.ask("DELETE", "/acme/alice", "op=DELETE").status == 204)
            #expect(!platform.exists("/acme/alice"))
        }
    }

    @Test func statusAndUsage() async throws {
        try await Platform.run { (platform) async throws in
            try platform.write("/acme/alice/f", "four")
            try platform.link("/acme/alice/link", to: platform.root)
            let answer = try await platform.ask("GET", "/acme/alice/f", "op=GETFILESTATUS")
            let object = try #require(try answer.object()["FileStatus"] as? [String: Any])
            #expect(Set(object.keys) == ["path", "length", "modificationTime", "permission", "type"])
            let status = try #require(try await platform.status("/acme/alice/f"))
            #expect(status.path == "/acme/alice/f" && status.permission == "manage" && status.type == "FILE" && status.length == 4)
            #expect(try await platform.status("/acme/alice")?.type == "DIRECTORY")
            #expect(try await platform.status("/acme/alice/link")?.type == "SYMLINK")
            #expect(try await platform.ask("GET", "/acme/alice/no", "op=GETFILESTATUS").isMissing)
            #expect(try await platform.ask("GET", "/acme/alice/f/x", "op=GETFILESTATUS").refuses("Not a directory", "ENOTDIR"))
            #expect(try await platform.ask("GET", "/acme/alice/f/x").refuses("Not a directory", "ENOTDIR"))

            var disk = statvfs()
            #expect(statvfs(platform.root, &disk) == 0)
            for path in ["/acme/alice", "/acme/alice/f"] {
                let usage = try await platform.ask("GET", path, "op=GETDISKUSAGE").json([String: UInt64].self)
                #expect(usage["total"] == UInt64(disk.f_blocks) * UInt64(disk.f_frsize))
                #expect(Set(usage.keys) == ["total", "used", "free"])
            }
            for path in ["/acme/alice/no", "/acme/alice/link", "/acme/alice/link/acme"] {
                #expect(try await platform.ask("GET", path, "op=GETDISKUSAGE").isMissing)
            }
        }
    }
}
