import Foundation
import NIOCore
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#endif

@Suite(.timeLimit(.minutes(10)))
struct ChangeTests {
    private let lines = ["Accept": "application/x-ndjson"]

    @Test func folders() async throws {
        try await Platform.run { (platform) async throws in
            for _ in 0..<2 { #expect(try await platform.ask("PUT", "/acme/alice/a/b/c", "op=MKDIRS").status == 201) }
            #expect(try await platform.list("/acme/alice/a/b").keys.first == "c")
            try platform.write("/acme/alice/f", "")
            try platform.makeFolder("/outside")
            try platform.link("/acme/alice/link", to: platform.root + "/outside")
            try platform.link("/acme/alice/dangling", to: "/nowhere")
            for path in ["/acme/alice/f", "/acme/alice/link", "/acme/alice/dangling"] {
                #expect(try await platform.ask("PUT", path, "op=MKDIRS").refuses("File exists", "EEXIST"))
            }
            let below = try await platform.ask("PUT", "/acme/alice/f/x", "op=MKDIRS")
            #expect(below.refuses("Predecessor is not a directory", "ENOTDIR"))
            #expect(
                try await platform.ask("PUT", "/acme/alice/link/x", "op=MKDIRS").refuses("No such file or directory", "ENOENT"))
            #expect(!platform.exists("/outside/x"))
        }
    }

    @Test func removals() async throws {
        try await Platform.run { (platform) async throws in
            #expect(try await platform.ask("DELETE", "/acme/alice/no", "op=DELETE").isMissing)
            try platform.write("/acme/alice/f", "")
            #expect(try await platform.ask("DELETE", "/acme/alice/f/x").isMissing)
            #expect(try await platform.ask("DELETE", "/acme/alice/f", "op=DELETE&recursive=false").status == 204)
            #expect(!platform.exists("/acme/alice/f"))
            try platform.write("/acme/alice/f", "")
            let one = try await platform.ask("DELETE", "/acme/alice/f", headers: lines)
            #expect(one.status == 200 && one["Content-Type"] == "application/x-ndjson")
            #expect(one.body == "{\"path\": \"/acme/alice/f\", \"is_dir\": false}\r\n")

            try platform.makeFolder("/acme/alice/d")
            try platform.write("/acme/alice/d/f", "")
            for headers in [[:], lines] {
                let answer = try await platform.ask("DELETE", "/acme/alice/d", "op=DELETE&recursive=0", headers: headers)
                #expect(answer.refuses("Target is a directory", "EISDIR"))
            }
            let wrong = try await platform.ask("DELETE", "/acme/alice/d", "op=DELETE&recursive=maybe")
            #expect(wrong.refuses(#""recursive" request parameter can be "true"/"1" or "false"/"0""#))
            let tree = try await platform.ask("DELETE", "/acme/alice/d", headers: lines)
            #expect(
                tree.body
                    == "{\"path\": \"/acme/alice/d/f\", \"is_dir\": false}\r\n{\"path\": \"/acme/alice/d\", \"is_dir\": true}\r\n")
            try platform.makeFolder("/acme/alice/d/e")
            #expect(try await platform.ask("DELETE", "/acme/alice/d", "recursive=TRUE").status == 204)
            #expect(!platform.exists("/acme/alice/d"))
        }
    }

    @Test func linksAreRemovedAsLinks() async throws {
        try await Platform.run { (platform) async throws in
            try platform.makeFolder("/outside")
            try platform.write("/outside/kept", "kept")
            for query in ["recursive=true", "recursive=false"] {
                try platform.link("/acme/alice/link", to: platform.root + "/outside")
                #expect(try await platform.ask("DELETE", "/acme/alice/link/kept", query).isMissing)
                #expect(try await platform.ask("DELETE", "/acme/alice/link", query).status == 204)
                #expect(!platform.exists("/acme/alice/link") && platform.contents("/outside/kept") == "kept")
            }
            try platform.link("/acme/alice/dangling", to: "/nowhere")
            #expect(try await platform.ask("DELETE", "/acme/alice/dangling").status == 204)
            try platform.makeFolder("/acme/alice/d")
            try platform.link("/acme/alice/d/link", to: platform.root + "/outside")
            #expect(mkfifo(platform.onDisk("/acme/alice/d/pipe"), 0o600) == 0)
            #expect(try await platform.ask("DELETE", "/acme/alice/d").status == 204)
            #expect(!platform.exists("/acme/alice/d") && platform.contents("/outside/kept") == "kept")
        }
    }

    @Test func aTreeIsRemovedAndToldOnceEach() async throws {
        try await Platform.run { (platform) async throws in
            var expected: Set<String> = ["/acme/alice/t"]
            for folder in 0..<3 {
                try platform.makeFolder("/acme/alice/t/\(folder)")
                expected.insert("/acme/alice/t/\(folder)")
                for file in 0..<100 {
                    try platform.write("/acme/alice/t/\(folder)/\(file)", "")
                    expected.insert("/acme/alice/t/\(folder)/\(file)")
                }
            }
            struct Record: Decodable { let path: String }
            let answer = try await platform.ask("DELETE", "/acme/alice/t", headers: lines)
            let paths = try answer.body.components(separatedBy: "\r\n").dropLast().map {
                try JSONDecoder().decode(Record.self, from: Data($0.utf8)).path
            }
            #expect(paths.count == 304 && Set(paths) == expected && paths.last == "/acme/alice/t")
            #expect(!platform.exists("/acme/alice/t"))
        }
    }

    @Test func rootsStay() async throws {
        try await Platform.run { (platform) async throws in
            try await platform.grant("/", .manage, to: "alice")
            try await platform.grant("/acme", .write, to: "bob")
            #expect(try await platform.ask("DELETE", "/").refuses("Target is a storage root", "EPERM"))
            #expect(try await platform.ask("DELETE", "/acme/..").refuses("Target is a storage root", "EPERM"))
            #expect(try await platform.ask("POST", "/", "destination=/x").refuses("Target is a storage root", "EPERM"))
            #expect(try await platform.ask("DELETE", "/acme", as: "bob").isMissing, "a whole organization needs `manage`")
            #expect(try await platform.ask("POST", "/acme", "destination=/acme/x", as: "bob").isMissing)
            #expect(platform.exists("/acme/alice"))
            #expect(try await platform.ask("DELETE", "/acme").status == 204)
        }
    }

    @Test func renames() async throws {
        try await Platform.run { (platform) async throws in
            func move(_ path: String, _ destination: String) async throws -> TestAnswer {
                try await platform.ask("POST", "/acme/alice" + path, "op=RENAME&destination=" + destination)
            }
            try platform.write("/acme/alice/f", "first")
            let before = try #require(try await platform.status("/acme/alice/f"))
            #expect(try await move("/f", "/acme/alice/g").status == 204)
            #expect(try await platform.status("/acme/alice/f") == nil)
            #expect(try await move("/g", "h+1%2B").status == 204)
            let after = try #require(try await platform.status("/acme/alice/h%201+"))
            #expect(after.length == before.length && after.modificationTime == before.modificationTime)
            try platform.write("/acme/alice/f", "first")
            try platform.write("/acme/alice/other", "second")
            #expect(try await move("/f", "other").status == 204)
            #expect(platform.contents("/acme/alice/other") == "first")
            #expect(try await move("/other", "/acme/alice/other").status == 204)
            #expect(try await move("/other", "missing/x").isMissing)
            #expect(try await move("/none", "x").isMissing)
            #expect(try await platform.ask("POST", "/acme/alice/other").refuses("No destination"))

            try platform.makeFolder("/acme/alice/d")
            try platform.makeFolder("/acme/alice/full/x")
            try platform.makeFolder("/acme/alice/empty")
            #expect(try await move("/other", "d").refuses("Destination is a directory", "EISDIR"))
            #expect(try await move("/d", "other").refuses("Destination is not a directory", "ENOTDIR"))
            #expect(try await move("/d", "full").refuses("Incorrect destination", "ENOTEMPTY"))
            #expect(try await move("/d", "d/inner").refuses("Incorrect destination", "EINVAL"))
            #expect(try await move("/full/x", "/acme/alice/full").refuses("Incorrect destination", "ENOTEMPTY"))
            #expect(try await move("/full", "empty").status == 204)
            #expect(platform.exists("/acme/alice/empty/x") && !platform.exists("/acme/alice/full"))
            #expect(try await move("/d", "../../../../x").isMissing, "it would be /x, which is not alice's")
        }
    }

    @Test func renamesOfLinks() async throws {
        try await Platform.run { (platform) async throws in
            try platform.write("/kept", "kept")
            try platform.write("/acme/alice/f", "file")
            try platform.link("/acme/alice/link", to: platform.root + "/kept")
            #expect(try await platform.ask("POST", "/acme/alice/link", "destination=moved").status == 204)
            #expect(try await platform.status("/acme/alice/moved")?.type == "SYMLINK")
            #expect(try await platform.ask("POST", "/acme/alice/f", "destination=moved").status == 204)
            #expect(try await platform.status("/acme/alice/moved")?.type == "FILE" && platform.contents("/kept") == "kept")
            try platform.link("/acme/alice/up", to: platform.root)
            #expect(try await platform.ask("POST", "/acme/alice/up/kept", "destination=/acme/alice/x").isMissing)
            #expect(try await platform.ask("POST", "/acme/alice/moved", "destination=up/x").isMissing)
        }
    }

    @Test func nothingGoesThroughALink() async throws {
        try await Platform.run { (platform) async throws in
            try platform.makeFolder("/outside")
            try platform.write("/outside/f", "kept")
            try platform.link("/acme/alice/folder", to: platform.root + "/outside")
            try platform.link("/acme/alice/file", to: platform.root + "/outside/f")
            try platform.link("/acme/alice/dangling", to: platform.root + "/outside/new")
            let gone = ("No such file or directory", "ENOENT")
            for path in ["/file", "/folder/f"] {
                #expect(try await platform.ask("GET", "/acme/alice" + path).isMissing)
                let patch = try await platform.ask(
                    "PATCH", "/acme/alice" + path, headers: ["Content-Range": "bytes 0-0/*"], body: .bytes(ByteBuffer(string: "x")))
                #expect(patch.isMissing)
            }
            for path in ["/file", "/dangling", "/folder/deep/new"] {
                #expect(try await platform.put("/acme/alice" + path, "x").refuses(gone.0, gone.1), "\(path)")
            }
            #expect(try await platform.put("/acme/alice/folder/new", "x").refuses("File exists", "EEXIST"))
            #expect(try await platform.ask("GET", "/acme/alice/folder", "op=LISTSTATUS").isMissing)
            #expect(try await platform.ask("GET", "/acme/alice/folder/f", "op=GETFILESTATUS").isMissing)
            let head = try await platform.ask("HEAD", "/acme/alice/file")
            #expect(head.status == 200 && head["X-File-Type"] == "SYMLINK" && head["Content-Length"] == "1")
            #expect(platform.contents("/outside/f") == "kept" && !platform.exists("/outside/new"))
            try platform.write("/acme/alice/plain", "")
            #expect(try await platform.put("/acme/alice/plain/x", "x").refuses("File exists", "EEXIST"))
            #expect(try await platform.put("/acme/alice/plain/x/y", "x").refuses("Not a directory", "ENOTDIR"))
        }
    }

    @Test func pipesAreNeverOpened() async throws {
        try await Platform.run { (platform) async throws in
            #expect(mkfifo(platform.onDisk("/acme/alice/pipe"), 0o600) == 0)
            #expect(try await platform.ask("GET", "/acme/alice/pipe").isMissing)
            #expect(try await platform.ask("HEAD", "/acme/alice/pipe").status == 404)
            #expect(try await platform.put("/acme/alice/pipe", "x").refuses("Invalid argument", "EINVAL"))
            #expect(try await platform.list("/acme/alice")["pipe"]?.type == "FILE")
            #expect(try await platform.ask("GET", "/acme/alice/pipe", "op=GETDISKUSAGE").status == 200)
        }
    }
}
