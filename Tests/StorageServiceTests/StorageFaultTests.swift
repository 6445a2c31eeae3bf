import CFileSystems
import Foundation
import Glibc
import NIOCore
import ServiceKit
import ServiceLifecycle
import TestSupport
import Testing

@testable import StorageService

/// What a file system says of itself is told by the contract's names (section 19), and nothing that failed looks as though it had not.
@Suite(.timeLimit(.minutes(10))) struct StorageFaultTests {
    private static let mebibyte = 1 << 20
    private static let place = "/acme/alice/disk"

    private func onUserDisk(_ body: @escaping @Sendable (Platform, UserDisk) async throws -> Void) async throws {
        try await Platform.run { (platform) async throws in
            try platform.makeFolder(Self.place)
            try await UserDisk.mounted(at: platform.onDisk(Self.place)) { try await body(platform, $0) }
        }
    }

    private func upload(_ platform: Platform, _ name: String, _ count: Int, at offset: Int? = nil) async throws -> TestAnswer {
        let path = "\(Self.place)/\(name)"
        let body = ByteBuffer(repeating: UInt8(ascii: "n"), count: count)
        guard let offset else { return try await platform.ask("PUT", path, "op=CREATE", body: .bytes(body)) }
        let range = ["Content-Range": "bytes \(offset)-\(offset + count - 1)/*"]
        return try await platform.ask("PATCH", path, "op=WRITE", headers: range, body: .bytes(body))
    }

    // MARK: A quota

    @Test(.enabled(if: UserDisk.canBeMounted, "FUSE is missing, or mounting is not permitted"))
    func whatAQuotaDoesNotAllowIsNotThere() async throws {
        let (error, name) = ("Disk quota exceeded", "EDQUOT")
        try await onUserDisk { (platform, disk) async throws in
            disk.limit(3 * Self.mebibyte)
            // There is room on the disk, so nobody knows before it is written.
            #expect(try await upload(platform, "new", 5 * Self.mebibyte).refuses(error, name))
            #expect(try await platform.list(Self.place).isEmpty)
            #expect(try await upload(platform, "file", 2 * Self.mebibyte).status == 201)
            #expect(try await upload(platform, "file", 2 * Self.mebibyte, at: 2 * Self.mebibyte).refuses(error, name))
            #expect(try await platform.status(Self.place + "/file")?.length == 2 * Self.mebibyte, "what there was before")
            #expect(try await upload(platform, "file", Self.mebibyte, at: 2 * Self.mebibyte).status == 200)
            #expect(try await upload(platform, "more", 1).refuses(error, name))
            try await SocketTests.talk(platform, Self.place) { (talk) async throws in
                let answer = try await talk.ask("CREATE", [("path", .text("sparse")), ("size", .integer(4096))])
                #expect(answer.header["error"] == .text(error) && answer.header["errno"] == .text(name))
            }
            // Room can be made.
            #expect(try await platform.ask("DELETE", Self.place + "/file", "op=DELETE").status == 204)
            #expect(try await upload(platform, "more", Self.mebibyte).status == 201)
        }
    }

    // MARK: Stale handles

    @Test(.enabled(if: UserDisk.canBeMounted, "FUSE is missing, or mounting is not permitted"))
    func whatTheServerHasForgottenIsStale() async throws {
        let (error, name) = ("Stale file handle", "ESTALE")
        try await onUserDisk { (platform, disk) async throws in
            try platform.makeFolder(Self.place + "/folder/below")
            try platform.write(Self.place + "/file", "text")
            disk.forget(["folder", "file"])
            for (method, path, query) in [
                ("GET", "/file", "op=OPEN"), ("GET", "/folder", "op=LISTSTATUS"), ("GET", "/folder/below", "op=GETFILESTATUS"),
                ("PUT", "/file", "op=CREATE"), ("PUT", "/folder/new", "op=MKDIRS"), ("DELETE", "/file", "op=DELETE"),
            ] {
                let answer = try await platform.ask(method, Self.place + path, query)
                #expect(answer.refuses(error, name), "\(method) \(path): \(answer.status) \(answer.body)")
            }
            disk.forget([])
            #expect(try await platform.ask("GET", Self.place + "/file").body == "text")
        }
    }

    // MARK: Read only

    @Test(.enabled(if: SmallDisk.canBeMounted, "mounting is not permitted here"))
    func whatIsReadOnlyIsRead() async throws {
        let (error, name) = ("Read-only file system", "EROFS")
        try await Platform.run { (platform) async throws in
            try platform.makeFolder(Self.place + "/folder")
            try platform.write(Self.place + "/file", "text")
            let path = platform.onDisk(Self.place)
            try #require(mount(path, path, nil, UInt(MS_BIND), nil) == 0, "errno \(errno)")
            defer { umount2(path, CInt(MNT_DETACH)) }
            try #require(mount(nil, path, nil, UInt(MS_BIND | MS_REMOUNT | MS_RDONLY), nil) == 0, "errno \(errno)")
            for (method, path, query) in [
                ("PUT", "/new", "op=CREATE"), ("PUT", "/file", "op=CREATE"), ("PUT", "/deep/er", "op=CREATE"),
                ("PUT", "/made", "op=MKDIRS"),
                ("DELETE", "/file", "op=DELETE"), ("DELETE", "/folder", "op=DELETE"),
                ("POST", "/file", "op=RENAME&destination=\(Self.place)/moved"),
            ] {
                let answer = try await platform.ask(method, Self.place + path, query)
                #expect(answer.refuses(error, name), "\(method) \(path): \(answer.status) \(answer.body)")
            }
            #expect(try await upload(platform, "file", 10, at: 0).refuses(error, name))
            #expect(try await platform.ask("GET", Self.place + "/file").body == "text")
            #expect(try await platform.list(Self.place).keys.sorted() == ["file", "folder"])
            #expect(try await platform.ask("PUT", Self.place + "/folder", "op=MKDIRS").status == 201, "it is there")
        }
    }

    // MARK: Somebody else's files

    @Test(.enabled(if: geteuid() == 0, "only root can be somebody else"))
    func whatIsSomebodyElsesIsNotOpened() async throws {
        let (error, name) = ("Permission denied", "EACCES")
        try await Platform.run(["storage.threads": "1"], service: UnprivilegedStorage.self) { (platform) async throws in
            for folder in ["", "/own", "/closed", "/readable"] { try platform.makeFolder(Self.place + folder) }
            for folder in ["/own", "/closed", "/readable"] { try platform.write(Self.place + folder + "/file", "text") }
            for (path, mode, isOwn) in [
                ("", 0o755, true), ("/own", 0o755, true), ("/own/file", 0o600, true), ("/closed", 0o700, false),
                ("/closed/file", 0o644, false),
                ("/readable", 0o755, false), ("/readable/file", 0o600, false),
            ] as [(String, mode_t, Bool)] {
                let path = platform.onDisk(Self.place + path)
                #expect(chmod(path, mode) == 0 && chown(path, isOwn ? UnprivilegedStorage.user : 0, 0) == 0)
            }
            for (method, path, query) in [
                ("GET", "/readable/file", "op=OPEN"), ("GET", "/closed", "op=LISTSTATUS"), ("GET", "/closed/file", "op=GETFILESTATUS"),
                ("PUT", "/readable/file", "op=CREATE"), ("PUT", "/readable/new", "op=CREATE"), ("PUT", "/readable/new", "op=MKDIRS"),
                ("DELETE", "/readable/file", "op=DELETE"), ("DELETE", "/readable", "op=DELETE"), ("DELETE", "/closed", "op=DELETE"),
                ("POST", "/readable/file", "op=RENAME&destination=\(Self.place)/own/moved"),
            ] {
                let answer = try await platform.ask(method, Self.place + path, query)
                #expect(answer.refuses(error, name), "\(method) \(path): \(answer.status) \(answer.body)")
            }
            #expect(try await upload(platform, "readable/file", 4, at: 0).refuses(error, name))
            #expect(platform.contents(Self.place + "/readable/file") == "text" && platform.contents(Self.place + "/closed/file") == "text")
            #expect(try await platform.list(Self.place + "/readable").keys.sorted() == ["file"], "what may be seen is")
            #expect(try await platform.ask("GET", Self.place + "/own/file").body == "text")
            #expect(try await upload(platform, "own/new", 4).status == 201)
        }
    }
}

/// storage-api whose one thread has the rights of an ordinary user.
private struct UnprivilegedStorage: PlatformService {
    static let user: uid_t = 1001
    static var name: String { StorageService.name }
    static var versionName: String { StorageService.versionName }
    static var errorRenderer: any ErrorRenderer { StorageService.errorRenderer }

    private let service: StorageService

    init(_ context: ServiceContext) async throws {
        service = try await StorageService(context)
        for storage in service.routes.table.all {
            // Of a thread; what root may beyond others goes with it.
            try await storage.work.run { _ = setfsuid(Self.user) }
        }
    }

    func register(on router: PlatformRouter) { service.register(on: router) }
    var background: [any Service] { service.background }
}
