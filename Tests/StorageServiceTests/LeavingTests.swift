import Foundation
import Glibc
import TestSupport
import Testing

@testable import StorageService

/// Clients that stop reading, and clients that leave in the middle (section 20, line 12): the work for them stops, and holds nothing open.
@Suite(.timeLimit(.minutes(10))) struct LeavingTests {
    private static let lines = ["Accept": "application/x-ndjson"]
    private static let folder = "/acme/alice/many"
    /// Far more than connections have room for, with names of this length.
    private static let files = 30_000
    private static let name = String(repeating: "n", count: 240)

    private func run(_ body: @escaping @Sendable (Platform) async throws -> Void) async throws {
        try await Platform.run { (platform) async throws in
            for part in 0..<3 {
                try platform.makeFolder("\(Self.folder)/\(part)")
                for number in 0..<Self.files / 3 {
                    let path = platform.onDisk("\(Self.folder)/\(part)/\(Self.name)\(number)")
                    let file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o644)
                    try #require(file >= 0)
                    close(file)
                }
            }
            try await body(platform)
        }
    }

    private func left(_ platform: Platform) -> Int {
        (0..<3).reduce(0) { count, part in
            count + ((try? FileManager.default.contentsOfDirectory(atPath: platform.onDisk("\(Self.folder)/\(part)")))?.count ?? 0)
        }
    }

    /// Begins something that is told line by line, and waits for the first.
    private func begin(
        _ platform: Platform, _ method: String, _ path: String, _ query: String, _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        let token = try await platform.token("alice")
        try await RawConnection.with(port: platform.storage.port) { connection in
            try await connection.send(
                "\(method) /api/v1/storage\(path)?\(query) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n"
                    + "Accept: application/x-ndjson\r\n\r\n")
            let first = try #require(try await connection.read(until: "}\r\n"))
            #expect(first.hasPrefix("HTTP/1.1 200"))
            try await body()
        }
    }

    /// The same at several looks, one after the other.
    private func standsStill(_ look: @Sendable () -> Int) async throws -> Int {
        var (last, times) = (look(), 0)
        let deadline = ContinuousClock.now + .seconds(60)
        while times < 20 {
            try #require(.now < deadline, "it goes on and on")
            try await Task.sleep(for: .milliseconds(25))
            let now = look()
            times = now == last ? times + 1 : 0
            last = now
        }
        return last
    }

    @Test func aRemovalWaitsForItsReaderAndStopsWithout() async throws {
        try await run { (platform) async throws in
            try await begin(platform, "DELETE", Self.folder, "op=DELETE") { () async throws in
                // Nobody reads: what cannot be told is not done.
                #expect(try await standsStill { left(platform) } > 0)
                #expect(!HangingStorageTests.descriptors(below: platform.onDisk(Self.folder)).isEmpty)
            }
            try await eventually { HangingStorageTests.descriptors(below: platform.onDisk(Self.folder)).isEmpty }
            #expect(left(platform) > 0)
            #expect(try await platform.ask("DELETE", Self.folder, "op=DELETE").status == 204)
            #expect(!platform.exists(Self.folder))
        }
    }

    @Test func listingsOfClientsThatLeftHoldNothing() async throws {
        try await run { (platform) async throws in
            for round in 0..<20 {
                try await begin(platform, "GET", Self.folder + "/\(round % 3)", "op=LISTSTATUS") {}
            }
            try await eventually { HangingStorageTests.descriptors(below: platform.onDisk(Self.folder)).isEmpty }
            #expect(try await platform.list(Self.folder).count == 3)
        }
    }

    @Test func downloadsOfClientsThatLeftHoldNothing() async throws {
        try await Platform.run { (platform) async throws in
            try platform.write("/acme/alice/large", String(repeating: "l", count: 32 << 20))
            let token = try await platform.token("alice")
            for _ in 0..<20 {
                try await RawConnection.with(port: platform.storage.port) { connection in
                    try await connection.send(
                        "GET /api/v1/storage/acme/alice/large HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n\r\n")
                    #expect(try await connection.read(until: "\r\n\r\n")?.hasPrefix("HTTP/1.1 200") == true)
                }
            }
            try await eventually { HangingStorageTests.descriptors(below: platform.onDisk("/acme/alice/")).isEmpty }
        }
    }

    // MARK: Folders that fill (section 19)

    /// A job writes on while its folder is removed.
    @Test func aFolderThatFillsWhileItIsRemoved() async throws {
        try await Platform.run { (platform) async throws in
            let folder = platform.onDisk("/acme/alice/filled")
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    var number = 0
                    while !Task.isCancelled {
                        mkdir(folder, 0o755)
                        for _ in 0..<10 {
                            number += 1
                            let file = open("\(folder)/\(number)", O_CREAT | O_WRONLY | O_CLOEXEC, 0o644)
                            if file >= 0 { close(file) }
                        }
                        // Fast, but not faster than a loaded machine removes: that has no end before the client's.
                        try? await Task.sleep(for: .milliseconds(2))
                    }
                }
                for _ in 0..<30 {
                    let answer = try await platform.ask("DELETE", "/acme/alice/filled", "op=DELETE")
                    #expect(
                        answer.status == 204 || answer.isMissing || answer.refuses("Directory not empty", "ENOTEMPTY"),
                        "\(answer.status) \(answer.body)")
                }
                group.cancelAll()
            }
            if platform.exists("/acme/alice/filled") {
                #expect(try await platform.ask("DELETE", "/acme/alice/filled", "op=DELETE").status == 204)
            }
            #expect(!platform.exists("/acme/alice/filled"))
            #expect(HangingStorageTests.descriptors(below: folder).isEmpty)
        }
    }

    @Test(.enabled(if: UserDisk.canBeMounted, "FUSE is missing, or mounting is not permitted"))
    func aFolderThatIsNeverEmpty() async throws {
        try await Platform.run { (platform) async throws in
            try platform.makeFolder("/acme/alice/disk")
            try await UserDisk.mounted(at: platform.onDisk("/acme/alice/disk")) { (disk) async throws in
                try platform.makeFolder("/acme/alice/disk/filled")
                try platform.write("/acme/alice/disk/filled/file", "text")
                disk.refill(["filled"])
                #expect(try await platform.ask("DELETE", "/acme/alice/disk/filled").refuses("Directory not empty", "ENOTEMPTY"))
                let told = try await platform.ask("DELETE", "/acme/alice/disk/filled", headers: Self.lines)
                #expect(told.status == 200)
                #expect(told.body.hasSuffix("\r\n{\"error\": \"Directory not empty\", \"errno\": \"ENOTEMPTY\"}"), "\(told.body)")
                #expect(try await platform.status("/acme/alice/disk/filled")?.type == "DIRECTORY")
                disk.refill([])
                #expect(try await platform.ask("DELETE", "/acme/alice/disk/filled").status == 204)
            }
        }
    }
}
