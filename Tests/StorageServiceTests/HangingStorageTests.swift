import AsyncHTTPClient
import Foundation
import Glibc
import NIOCore
import TestSupport
import Testing

@testable import StorageService

/// A storage whose file system stops answering, in the kernel, beside one that goes on (section 20, line 11).
@Suite(.enabled(if: UserDisk.canBeMounted, "FUSE is missing, or mounting is not permitted"), .timeLimit(.minutes(10)))
struct HangingStorageTests {
    private static let threads = 4
    private static let here = "/slow/acme/alice"
    private static let there = "/acme/alice"
    /// As long as the slowest machine may take for what should take a second.
    private static let patience = Duration.seconds(20)

    /// - Parameter limit: seconds that a storage call may take.
    private func run(limit: Int = 1, _ body: @escaping @Sendable (Platform, UserDisk) async throws -> Void) async throws {
        let settings = ["storage.mounts": "slow", "storage.threads": "\(Self.threads)", "storage.timeout": "\(limit)"]
        try await Platform.run(settings) { (platform) async throws in
            try platform.makeFolder("/default" + Self.there)
            try platform.makeFolder("/slow")
            try await platform.grant(Self.here, .manage, to: "alice")
            try await UserDisk.mounted(at: platform.onDisk("/slow")) { (disk) async throws in
                try platform.makeFolder(Self.here)
                try await body(platform, disk)
            }
        }
    }

    /// Whatever else there is to be asked, over many connections.
    private func othersGoOn(_ platform: Platform) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<16 {
                group.addTask { () async throws in
                    let begun = ContinuousClock.now
                    let path = "\(Self.there)/file-\(number)"
                    #expect(try await platform.get(raw: path).hasPrefix("HTTP/1.1 404"))
                    #expect(try await platform.put(path, "text").status == 201)
                    #expect(try await platform.ask("GET", path).body == "text")
                    #expect(try await platform.ask("DELETE", path).status == 204)
                    #expect(try await platform.storage.get("/ping").body == "Pong")
                    #expect(.now - begun < Self.patience)
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func whatHangsHoldsUpNobodyElse() async throws {
        try await run { (platform, disk) async throws in
            #expect(try await platform.put(Self.here + "/file", "text").status == 201)
            disk.hang()
            let asked = [
                ("GET", "/file", "op=OPEN"), ("HEAD", "/file", ""), ("GET", "", "op=LISTSTATUS"), ("GET", "/file", "op=GETFILESTATUS"),
                ("GET", "", "op=GETDISKUSAGE"), ("PUT", "/new", "op=CREATE"), ("PATCH", "/file", "op=WRITE"),
                ("POST", "/file", "op=RENAME&destination=\(Self.here)/moved"), ("DELETE", "/file", "op=DELETE"),
            ]
            try await withThrowingTaskGroup(of: Void.self) { group in
                // Many times as many as there are threads.
                for number in 0..<20 {
                    group.addTask { try await isRefusedInTime(platform, ("PUT", "/made-\(number)", "op=MKDIRS")) }
                }
                for one in asked { group.addTask { try await isRefusedInTime(platform, one) } }
                try await group.waitForAll()
            }
            // All of its threads are stuck by now.
            try await othersGoOn(platform)
            try await isRefusedInTime(platform, ("GET", "/file", "op=OPEN"))
            try await isRefusedInTime(platform, ("GET", "", "op=LISTSTATUS"))

            disk.goOn()
            try await eventually { try await platform.ask("GET", Self.here, "op=LISTSTATUS").status == 200 }
            // What nobody waited for any more was not done, but for what each thread had begun.
            let made = try await platform.list(Self.here).keys.filter { $0 != "file" && $0 != "moved" }
            #expect(made.count <= Self.threads, "\(made)")
            #expect(try await platform.put(Self.here + "/after", "text").status == 201)
            #expect(try await platform.ask("GET", Self.here + "/after").body == "text")
        }
    }

    @Sendable private func isRefusedInTime(_ platform: Platform, _ asked: (method: String, path: String, query: String)) async throws {
        let begun = ContinuousClock.now
        let answer = try await platform.ask(
            asked.method, Self.here + asked.path, asked.query, headers: asked.method == "PATCH" ? ["Content-Range": "bytes 0-0/*"] : [:])
        #expect(answer.status == 503 && answer["Retry-After"] != nil, "\(asked): \(answer.status) \(answer.body)")
        #expect(.now - begun < Self.patience, "\(asked)")
        if asked.method != "HEAD" {
            #expect(try Refusal(answer) == Refusal("The storage does not answer; try again.", "ETIMEDOUT"), "\(asked)")
        }
    }

    @Test func aDownloadEndsWhereItsStorageStops() async throws {
        try await run { (platform, disk) async throws in
            let text = String(repeating: "0123456789abcdefghijklmnopqrstuvwxyz\n", count: 650_000)
            try platform.write(Self.here + "/large", text)
            let token = try await platform.token("alice")
            let begun = try await RawConnection.with(port: platform.storage.port) { connection in
                try await connection.send(
                    "GET /api/v1/storage\(Self.here)/large HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n\r\n")
                let first = try #require(try await connection.read(until: "\r\n\r\n"))
                #expect(first.contains("Content-Length: \(text.utf8.count)\r\n"))
                // Neither side has room for the whole of it, so that the service has not read it all.
                disk.hang()
                let head = try #require(first.firstRange(of: "\r\n\r\n"))
                return String(first[head.upperBound...]) + (try await connection.readToEnd())
            }
            #expect(begun.utf8.count < text.utf8.count && text.hasPrefix(begun))
            try await othersGoOn(platform)
            disk.goOn()
            let rest = try await platform.ask("GET", Self.here + "/large", headers: ["Range": "bytes=\(begun.utf8.count)-"])
            #expect(rest.status == 206 && begun + rest.body == text)
            try await eventually { Self.descriptors(below: platform.onDisk("/slow/")).isEmpty }
        }
    }

    @Test func anUploadEndsWhereItsStorageStops() async throws {
        try await run { (platform, disk) async throws in
            let piece = String(repeating: "u", count: 1 << 20)
            let chunk = "100000\r\n\(piece)\r\n"
            let token = try await platform.token("alice")
            try await RawConnection.with(port: platform.storage.port) { connection in
                try await connection.send(
                    "PUT /api/v1/storage\(Self.here)/up HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n"
                        + "Transfer-Encoding: chunked\r\n\r\n\(chunk)")
                try await eventually { disk.count(.write) > 0 }
                disk.hang()
                try await connection.send(chunk)
                let begun = ContinuousClock.now
                let answer = try #require(try await connection.read(until: "}"))
                #expect(answer.hasPrefix("HTTP/1.1 503") && answer.contains("ETIMEDOUT"), "\(answer)")
                #expect(.now - begun < Self.patience)
            }
            // To close the file is to ask the storage too.
            try await othersGoOn(platform)
            disk.goOn()
            try await eventually { Self.descriptors(below: platform.onDisk("/slow/")).isEmpty }
            // What had come is there, and can be gone on with.
            let length = try #require(try await platform.status(Self.here + "/up")?.length)
            #expect(0 < length && length <= 2 << 20)
            let more = try await platform.ask(
                "PATCH", Self.here + "/up", "op=WRITE", headers: ["Content-Range": "bytes \(length)-\(length + 2)/*"],
                body: .bytes(ByteBuffer(string: "end")))
            #expect(more.status == 200)
            #expect(platform.contents(Self.here + "/up") == String(repeating: "u", count: length) + "end")
        }
    }

    @Test func aListingAndARemovalUnderWaySaySo() async throws {
        // A thousand entries are looked at for the first of them.
        try await run(limit: 5) { (platform, disk) async throws in
            for number in 0..<2500 {
                let file = open(platform.onDisk("\(Self.here)/\(number)"), O_CREAT | O_WRONLY | O_CLOEXEC, 0o644)
                try #require(file >= 0)
                close(file)
            }
            let token = try await platform.token("alice")
            for (method, query, call) in [
                ("GET", "op=LISTSTATUS", UserDiskFiles.Call.lookup), ("DELETE", "op=DELETE&recursive=true", .remove),
            ] {
                disk.hang(after: 1500, call)
                let told = try await RawConnection.with(port: platform.storage.port) { connection in
                    try await connection.send(
                        "\(method) /api/v1/storage\(Self.here)?\(query) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n"
                            + "Accept: application/x-ndjson\r\nConnection: close\r\n\r\n")
                    return try await connection.readToEnd()
                }
                #expect(told.hasPrefix("HTTP/1.1 200"))
                #expect(told.contains("{\"error\": \"The storage does not answer; try again.\", \"errno\": \"ETIMEDOUT\"}"), "\(method)")
                disk.goOn()
                try await eventually { Self.descriptors(below: platform.onDisk("/slow/")).isEmpty }
            }
        }
    }

    @Test func aSocketIsToldAndStays() async throws {
        try await run { (platform, disk) async throws in
            #expect(try await platform.put(Self.here + "/file", "text").status == 201)
            try await SocketTests.talk(platform, Self.here) { (talk) async throws in
                #expect(try await talk.ask("STAT", [("path", .text("file"))]).header["op"] == .text("ACK"))
                disk.hang()
                let silent = try await talk.ask("STAT", [("path", .text("file"))])
                #expect(silent.header["op"] == .text("ERROR") && silent.header["errno"] == .text("ETIMEDOUT"))
                disk.goOn()
                let deadline = ContinuousClock.now + .seconds(30)
                while try await talk.ask("STAT", [("path", .text("file"))]).header["op"] != .text("ACK") {
                    try #require(.now < deadline)
                }
            }
        }
    }

    /// The descriptors of this process that lead below a folder.
    static func descriptors(below path: String) -> [String] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return all.compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)") }
            .filter { $0.hasPrefix(path) }
    }
}
