import AsyncHTTPClient
import Foundation
import Glibc
import NIOCore
import TestSupport
import Testing

@testable import StorageService

/// A genuine file system of a few megabytes that gets full. Where mounting is not permitted these tests are left out: they need root.
@Suite(.enabled(if: SmallDisk.canBeMounted, "mounting a tmpfs is not permitted here"), .timeLimit(.minutes(10)))
struct FullDiskTests {
    private static let mebibyte = 1 << 20
    private static let noSpace = ("No space left on device", "ENOSPC")

    /// With a disk below alice's folder that holds 8 MiB and 32 objects.
    private func onSmallDisk(_ body: @escaping @Sendable (Platform) async throws -> Void) async throws {
        try await Platform.run { (platform) async throws in
            try platform.makeFolder("/acme/alice/disk")
            try await SmallDisk.mounted(at: platform.onDisk("/acme/alice/disk")) { try await body(platform) }
        }
    }

    private func upload(
        _ platform: Platform, _ name: String, _ count: Int, part: Int? = nil
    ) async throws -> TestAnswer {
        let bytes = ByteBuffer(repeating: UInt8(ascii: "n"), count: count)
        // In pieces of an unknown number, so that the disk is full before the service can know that it will be.
        let pieces = AsyncStream<ByteBuffer> { continuation in
            var rest = bytes
            while let piece = rest.readSlice(length: min(rest.readableBytes, 256 << 10)), piece.readableBytes > 0 {
                continuation.yield(piece)
            }
            continuation.finish()
        }
        let body = HTTPClientRequest.Body.stream(pieces, length: .unknown)
        guard let part else { return try await platform.ask("PUT", "/acme/alice/disk/\(name)", "op=CREATE", body: body) }
        return try await platform.ask(
            "PATCH", "/acme/alice/disk/\(name)", "op=WRITE", headers: ["Content-Range": "bytes \(part)-\(part + count - 1)/*"], body: body)
    }

    /// An upload that says how long it will be, and waits to be asked for it.
    private func announce(_ platform: Platform, _ name: String, _ count: Int) async throws -> String {
        let token = try await platform.token("alice")
        return try await RawConnection.with(port: platform.storage.port) { connection in
            try await connection.send(
                "PUT /api/v1/storage/acme/alice/disk/\(name)?op=CREATE HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n"
                    + "Content-Length: \(count)\r\nExpect: 100-continue\r\n\r\n")
            return try await connection.read(until: "\r\n\r\n") ?? ""
        }
    }

    private func length(_ platform: Platform, _ name: String) async throws -> Int? {
        try await platform.status("/acme/alice/disk/\(name)")?.length
    }

    @Test func whatDoesNotFitIsNotThere() async throws {
        try await onSmallDisk { (platform) async throws in
            let answer = try await upload(platform, "new", 12 * Self.mebibyte)
            #expect(answer.refuses(Self.noSpace.0, Self.noSpace.1), "\(answer.status) \(answer.body)")
            #expect(try await platform.list("/acme/alice/disk").isEmpty)
            #expect(try await announce(platform, "announced", 12 * Self.mebibyte).hasPrefix("HTTP/1.1 400"))
            #expect(try await platform.list("/acme/alice/disk").isEmpty)
            #expect(try await upload(platform, "small", Self.mebibyte).status == 201, "its room has been given back")
        }
    }

    @Test func whatIsKnownNotToFitLeavesTheOldFile() async throws {
        try await onSmallDisk { (platform) async throws in
            #expect(try await upload(platform, "old", Self.mebibyte).status == 201)
            #expect(try await announce(platform, "old", 12 * Self.mebibyte).hasPrefix("HTTP/1.1 400"))
            #expect(try await length(platform, "old") == Self.mebibyte)
            // What takes the old one's place may have its room.
            #expect(try await announce(platform, "other", 8 * Self.mebibyte).hasPrefix("HTTP/1.1 400"))
            #expect(try await announce(platform, "old", 8 * Self.mebibyte).hasPrefix("HTTP/1.1 100"))
        }
    }

    @Test func anAppendThatDoesNotFitLeavesTheOldLength() async throws {
        try await onSmallDisk { (platform) async throws in
            #expect(try await upload(platform, "part", 5 * Self.mebibyte).status == 201)
            let answer = try await upload(platform, "part", 4 * Self.mebibyte, part: 5 * Self.mebibyte)
            #expect(answer.refuses(Self.noSpace.0, Self.noSpace.1), "\(answer.status) \(answer.body)")
            #expect(try await length(platform, "part") == 5 * Self.mebibyte)
            #expect(try await upload(platform, "part", Self.mebibyte, part: 5 * Self.mebibyte).status == 200, "and it can be gone on with")
            #expect(try await length(platform, "part") == 6 * Self.mebibyte)
        }
    }

    @Test func aFullDiskStillLetsRoomBeMade() async throws {
        try await onSmallDisk { (platform) async throws in
            #expect(try await upload(platform, "large", 8 * Self.mebibyte).status == 201)
            let usage = try await platform.ask("GET", "/acme/alice/disk", "op=GETDISKUSAGE")
            #expect(usage.body.contains("\"free\":0") || usage.body.contains("\"free\": 0"), "\(usage.body)")
            var number = 0
            var answer: TestAnswer
            repeat {
                number += 1
                answer = try await platform.ask("PUT", "/acme/alice/disk/folder\(number)", "op=MKDIRS")
            } while answer.status == 201 && number < 100
            #expect(answer.refuses(Self.noSpace.0, Self.noSpace.1), "\(answer.status) \(answer.body)")
            #expect(try await platform.put("/acme/alice/disk/another", "").refuses(Self.noSpace.0, Self.noSpace.1))
            let moved = try await platform.ask(
                "POST", "/acme/alice/disk/large", "op=RENAME&destination=/acme/alice/disk/folder1/large")
            #expect(moved.status == 204)
            #expect(try await platform.ask("DELETE", "/acme/alice/disk/folder1", "op=DELETE").status == 204)
            #expect(try await upload(platform, "large", 8 * Self.mebibyte).status == 201)
        }
    }

    @Test func socketsSayTheSame() async throws {
        try await onSmallDisk { (platform) async throws in
            try await SocketTests.talk(platform, "/acme/alice/disk") { (talk) async throws in
                let data = String(repeating: "s", count: 3 * Self.mebibyte)
                func place(_ name: String, _ part: Int) -> [(String, CBOR)] {
                    [("path", .text(name)), ("offset", .integer(Int64(part * 3 * Self.mebibyte)))]
                }
                #expect(try await talk.ask("WRITE", place("file", 0), data: data).header["op"] == .text("ACK"))
                #expect(try await talk.ask("WRITE", place("file", 1), data: data).header["op"] == .text("ACK"))
                let full = try await talk.ask("WRITE", place("file", 2), data: data)
                #expect(full.header["errno"] == .text("ENOSPC") && full.header["error"] == .text(Self.noSpace.0))
                #expect(try await length(platform, "file") == 6 * Self.mebibyte)
                #expect(try await talk.ask("WRITE", place("new", 0), data: data).header["errno"] == .text("ENOSPC"))
                #expect(!platform.exists("/acme/alice/disk/new"))
            }
        }
    }
}

/// A tmpfs of 8 MiB.
enum SmallDisk {
    static let canBeMounted: Bool = {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mount-\(UUID().uuidString)").path
        guard mkdir(folder, 0o700) == 0 else { return false }
        defer { rmdir(folder) }
        guard mount("tmpfs", folder, "tmpfs", 0, "size=1m") == 0 else { return false }
        return umount2(folder, CInt(MNT_DETACH)) == 0
    }()

    static func mounted(at path: String, _ body: () async throws -> Void) async throws {
        try #require(mount("tmpfs", path, "tmpfs", 0, "size=8m,nr_inodes=32,huge=never") == 0, "errno \(errno)")
        defer { umount2(path, CInt(MNT_DETACH)) }
        try await body()
    }
}
