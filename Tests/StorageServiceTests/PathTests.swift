import Foundation
import ServiceKit
import TestSupport
import Testing

@testable import StorageService

@Suite(.timeLimit(.minutes(10)))
struct PathTests {
    @Test(arguments: [
        ("", "/"), ("super/..", "/"), ("super/../", "/"), ("super/../../..", "/"), ("/super/../path/../..", "/"),
        ("super/../path", "/path"),
        ("super/../path/", "/path"), ("/super/../path/", "/path"), ("a//b/./c", "/a/b/c"), ("a%2Fb", "/a/b"), ("..%2f..%2fa", "/a"),
        ("%2e%2e/a", "/a"), ("%252e%252e/a", "/%2e%2e/a"), ("a/...", "/a/..."), ("a;b+c", "/a;b+c"), ("a%5C..%5Cb", "/a\\..\\b"),
    ])
    func pathsAreNormalized(text: String, path: String) throws {
        #expect(try StoragePath(encoded: text).text == path)
    }

    @Test func pathsThatCannotBe() throws {
        for text in ["a%", "a%2", "a%zz", "%ff", "%c3"] { #expect(throws: PlatformError.self) { try StoragePath(encoded: text) } }
        #expect(throws: FileFailure.nameTooLong) { try StoragePath(encoded: String(repeating: "x", count: 256)) }
        #expect(throws: FileFailure.nameTooLong) { try StoragePath(encoded: String(repeating: "xx/", count: 1400)) }
        #expect(try StoragePath("/a/\u{E9}") != StoragePath("/a/e\u{301}"), "names are bytes")
    }

    @Test func pathsReachTheServiceAsTheyWereSent() async throws {
        try await Platform.run { (platform) async throws in
            try platform.makeFolder("/acme/alice/a/b")
            try platform.write("/acme/alice/a/b/f", "text")
            for path in [
                "/acme/alice/a/b/f", "/acme/alice/a//b/./f", "//acme/alice/a/b/f/", "/acme/alice/a/x/../b/f", "/acme%2Falice/a%2fb/f",
                "/../../acme/alice/a/b/f", "/acme/bob/../alice/a/b/f", "/acme/bob%2f..%2Falice/a/b/f", "/acme/alice/a/b/%66",
            ] {
                let answer = try await platform.get(raw: path)
                #expect(answer.hasPrefix("HTTP/1.1 200") && answer.contains(#""path": "/acme/alice/a/b/f""#), "\(path): \(answer)")
            }
            for path in ["/acme/alice/../bob", "/acme/alice/%2e%2e/bob", "/acme/alice%2f..%2fbob", "/acme/alice/a/b/..%252ff"] {
                #expect(try await platform.get(raw: path).hasPrefix("HTTP/1.1 404"), "\(path)")
            }
            let null = try await platform.get(raw: "/acme/alice/a%00b")
            #expect(null.hasPrefix("HTTP/1.1 400") && null.contains(#"{"error":"embedded null byte"}"#))
            let long = try await platform.get(raw: "/acme/alice/" + String(repeating: "x", count: 300))
            #expect(long.hasPrefix("HTTP/1.1 400") && long.contains("File name too long") && long.contains("ENAMETOOLONG"))
        }
    }

    @Test func namesSurvive() async throws {
        try await Platform.run { (platform) async throws in
            for name in [
                "a#b", "100%", "what?", " blank ", "ünïcödé", "-dash", "a+b", "op", "new\nline", "c:d", ".hidden", "e\u{301}", "é",
            ] {
                let path = "/acme/alice/" + (name.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")
                try await platform.put(path, name)
                #expect(try await platform.list("/acme/alice")[name]?.type == "FILE" || name.contains("\u{E9}"), "\(name)")
                #expect(try await platform.ask("GET", path).body.utf8.elementsEqual(name.utf8))
                #expect(try await platform.ask("DELETE", path).status == 204)
            }
        }
    }

    @Test func severalStorages() async throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("mounts-\(UUID().uuidString)").path
        for folder in ["default/acme/alice", "fast/acme", "stray"] {
            try FileManager.default.createDirectory(atPath: "\(root)/\(folder)", withIntermediateDirectories: true)
        }
        defer { try? FileManager.default.removeItem(atPath: root) }
        try await Platform.run(["storage.root": root, "storage.mounts": "fast,away"]) { (platform) async throws in
            try await platform.grant("/", .manage, to: "alice")
            func there(_ path: String) -> Bool { FileManager.default.fileExists(atPath: root + path) }
            try await platform.put("/acme/alice/f", "x")
            #expect(there("/default/acme/alice/f"))
            try await platform.put("/fast/acme/alice/f", "x")
            #expect(there("/fast/acme/alice/f"))
            // What happens to be there decides nothing.
            try await platform.put("/stray/f", "x")
            #expect(there("/default/stray/f") && !there("/stray/f"))
            #expect(try await platform.ask("GET", "/default/acme/alice/f").isMissing)
            #expect(try await Set(platform.list("/").keys) == ["default", "fast", "stray"])
            let across = try await platform.ask("POST", "/acme/alice/f", "destination=/fast/acme/f")
            #expect(across.refuses("Incorrect destination", "EXDEV"))
            #expect(try await platform.ask("DELETE", "/fast").refuses("Target is a storage root", "EPERM"))
            let away = try await platform.put("/away/f", "x")
            #expect(away.status == 503 && away["Retry-After"] != nil)
            #expect(try Refusal(away).errno == "EIO" && !there("/default/away"))
        }
    }

    @Test func settingsAreChecked() async throws {
        for (key, value) in [
            ("storage.root", ""), ("storage.root", "/nowhere/at/all"), ("storage.mounts", "a/b"), ("storage.threads", "0"),
            ("storage.timeout", "0"),
        ] {
            await #expect(throws: SettingError.self) { try await Platform.run([key: value]) { _ in } }
        }
    }
}
