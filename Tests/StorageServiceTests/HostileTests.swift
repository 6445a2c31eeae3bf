import Foundation
import NIOCore
import NIOPosix
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#endif

@Suite(.timeLimit(.minutes(10)))
struct HostileTests {
    /// A job swaps a folder for a link as fast as it can while requests go through that name.
    @Test func aFolderThatBecomesALinkLeadsNowhere() async throws {
        try await Platform.run(["storage.permission.expiration": "600"]) { (platform) async throws in
            try platform.makeFolder("/outside")
            try platform.write("/outside/secret", "secret")
            try platform.makeFolder("/acme/alice/real")
            try platform.write("/acme/alice/real/secret", "own")
            try platform.makeFolder("/acme/alice/stage")
            let place = platform.onDisk("/acme/alice/d")
            let target = platform.root + "/outside"
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    // Two names that are exchanged: at each moment one of them stands there.
                    while !Task.isCancelled {
                        try await NIOThreadPool.singleton.runIfActive {
                            for _ in 0..<200 {
                                _ = rename(platform.onDisk("/acme/alice/real"), place)
                                _ = rename(place, platform.onDisk("/acme/alice/real"))
                                _ = symlink(target, place)
                                _ = unlink(place)
                            }
                        }
                    }
                }
                for _ in 0..<50 {
                    let read = try await platform.ask("GET", "/acme/alice/d/secret")
                    #expect(read.status == 404 || read.body == "own", "\(read.status) \(read.body)")
                    let made = try await platform.put("/acme/alice/d/new", "x")
                    #expect([201, 400].contains(made.status))
                    let listed = try await platform.ask("GET", "/acme/alice/d", "op=LISTSTATUS")
                    #expect(listed.status == 404 || (listed.status == 200 && !listed.body.contains("kept")))
                    _ = try await platform.ask("DELETE", "/acme/alice/d/secret")
                    _ = try await platform.ask("DELETE", "/acme/alice/d")
                    try? platform.makeFolder("/acme/alice/real")
                    try? platform.write("/acme/alice/real/secret", "own")
                }
                group.cancelAll()
            }
            #expect(platform.contents("/outside/secret") == "secret")
            #expect(try FileManager.default.contentsOfDirectory(atPath: target) == ["secret"])
        }
    }

    /// Whatever is sent, the answer is no failure of the server's.
    @Test func tenThousandMalformedRequests() async throws {
        try await Platform.run(["storage.permission.expiration": "600"]) { (platform) async throws in
            let token = try await platform.token("alice")
            try platform.write("/acme/alice/f", "content")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for seed in 0..<8 {
                    group.addTask {
                        var sender = Nonsense(seed: UInt64(seed + 1), token: token)
                        for _ in 0..<125 {
                            let batch = (0..<10).map { _ in sender.request() }
                            try await Self.send(batch, to: platform.storage.port)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(platform.exists("/acme/bob") && platform.contents("/acme/alice/f") != nil)
            #expect(try await platform.storage.get("/ping").body == "Pong")
        }
    }

    private static func send(_ batch: [String], to port: Int) async throws {
        for text in batch {
            try await RawConnection.with(port: port) { connection in
                do { try await connection.send(text) } catch { return }
                let answer = try? await connection.readToEnd()
                if let answer, !answer.isEmpty, answer.dropFirst(9).first == "5" {
                    Issue.record("\(text)\n\(answer)")
                }
            }
        }
    }
}

/// Requests that are nearly right, the same for each seed.
private struct Nonsense {
    private var state: UInt64
    private let token: String

    init(seed: UInt64, token: String) {
        state = seed &* 0x9E37_79B9_7F4A_7C15
        self.token = token
    }

    private mutating func number(_ limit: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(limit))
    }

    private mutating func one(_ choices: [String]) -> String { choices[number(choices.count)] }

    private mutating func junk() -> String {
        (0..<number(12)).map { _ in one(["%", "%00", "%ff", "..", "/", "//", ".", "a", "é", "%2f", "%2e", ";", "\\", "&", "=", "+", "~"]) }
            .joined()
    }

    mutating func request() -> String {
        let method = one(["GET", "GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "TRACE", "get", "G\u{1}T"])
        let path = one(["/acme/alice/f", "/acme/alice/f/", "/acme/alice", "/acme/alice/x", "", "/"]) + one(["", junk()])
        let query = one([
            "", "op=LISTSTATUS", "op=GETFILESTATUS", "op=OPEN", "op=MKDIRS", "op=GETDISKUSAGE", "op=WEBSOCKET", "op", "op=%zz", junk(),
            "destination=" + junk(), "op=RENAME&destination=/acme/alice/" + junk(), "recursive=" + junk(), "open&create",
        ])
        let length = number(40)
        // The file that the test looks at in the end stays: nothing is removed or moved there.
        let target = ["DELETE", "POST"].contains(method) ? "/acme/alice/y" + junk().replacingOccurrences(of: ".", with: "-") : path
        var lines = [
            "\(method) /api/v1/storage\(target.replacingOccurrences(of: "%2e", with: "-"))?\(query) HTTP/1.1", "Host: x",
            "Connection: close",
        ]
        lines.append(one(["Authorization: Bearer \(token)", "Authorization: Bearer \(token)", "Authorization: \(junk())", "X: y"]))
        lines.append(
            one([
                "Range: bytes=0-2", "Range: \(junk())", "Content-Range: bytes 0-\(junk())/*", "Content-Range: bytes 1-2/3",
                "Accept: application/x-ndjson",
                "Expect: 100-continue", "Upgrade: websocket", "Content-Type: \(junk())", "If-Match: x", "X-Y: \(junk())",
            ]))
        lines.append(
            one(["Content-Length: \(length)", "Content-Length: \(length)", "Transfer-Encoding: chunked", "Content-Length: x", "Y: z"]))
        let body =
            lines.contains("Transfer-Encoding: chunked")
            ? one(["5\r\nhello\r\n0\r\n\r\n", "zz\r\n", "0\r\n\r\n"]) : String(repeating: "b", count: length)
        return lines.joined(separator: "\r\n") + "\r\n\r\n" + body
    }
}
