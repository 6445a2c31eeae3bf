import Foundation
import Glibc
import Synchronization

/// A genuine file system of the kernel's whose disk is this process (FUSE, spoken over its device): one that stops answering when it is told
/// to, as a file server that is away does, that has a quota, and that forgets what it gave out.
///
/// While it hangs nothing is taken from the kernel, so that whoever waits for it can still be killed.
final class UserDisk: Sendable {
    static let canBeMounted: Bool = {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mount-\(UUID().uuidString)").path
        guard mkdir(folder, 0o700) == 0 else { return false }
        defer { rmdir(folder) }
        guard let disk = try? UserDisk(at: folder) else { return false }
        disk.end()
        return true
    }()

    struct Unavailable: Error {
        let code: CInt
    }

    private struct State {
        var hangs = false
        /// It does when it has been asked so often.
        var hangsAt: (call: UserDiskFiles.Call, count: Int)?
        /// Nothing is being answered.
        var isStill = false
        var hasEnded = false
        var isClosed = false
        var faults = UserDiskFiles.Faults()
        /// What was asked, by the names of `UserDiskFiles.Call`.
        var asked: [UserDiskFiles.Call: Int] = [:]
    }

    private let path: String
    private let device: CInt
    private let state = Mutex(State())

    /// Mounts it, empty.
    private init(at path: String) throws {
        self.path = path
        device = open("/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK)
        guard device >= 0 else { throw Unavailable(code: errno) }
        let options = "fd=\(device),rootmode=40000,user_id=0,group_id=0,allow_other"
        guard mount("user-disk", path, "fuse", UInt(MS_NOSUID | MS_NODEV), options) == 0 else {
            let code = errno
            close(device)
            throw Unavailable(code: code)
        }
        Thread { [self] in serve() }.start()
    }

    static func mounted(at path: String, _ body: (UserDisk) async throws -> Void) async throws {
        let disk = try UserDisk(at: path)
        defer { disk.end() }
        try await body(disk)
    }

    private func end() {
        state.withLock { $0.hasEnded = true }
        // Whoever still waits for an answer is refused now.
        while !state.withLock({ $0.isClosed }) { usleep(1000) }
        umount2(path, CInt(MNT_DETACH))
    }

    // MARK: What becomes of it

    /// When it returns, nothing is answered any more.
    func hang() {
        state.withLock { ($0.hangs, $0.isStill) = (true, false) }
        while !state.withLock({ $0.isStill }) { usleep(1000) }
    }

    /// Once it has answered some more such calls.
    func hang(after count: Int, _ call: UserDiskFiles.Call) {
        state.withLock { $0.hangsAt = (call, ($0.asked[call] ?? 0) + count) }
    }

    func goOn() { state.withLock { $0.hangs = false } }

    /// Bytes that all files may have together.
    func limit(_ quota: Int?) { state.withLock { $0.faults.quota = quota } }

    /// What has one of these names was given out and is not known any more.
    func forget(_ names: Set<String>) { state.withLock { $0.faults.stale = names } }

    /// Folders of these names are never empty when they are to be removed: somebody has just put something there.
    func refill(_ names: Set<String>) { state.withLock { $0.faults.refilled = names } }

    /// How often it was asked for something.
    func count(_ call: UserDiskFiles.Call) -> Int { state.withLock { $0.asked[call] ?? 0 } }

    // MARK: The conversation

    private func serve() {
        var files = UserDiskFiles()
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let (hasEnded, hangs, faults) = state.withLock { state in
                if state.hangs { state.isStill = true }
                return (state.hasEnded, state.hangs, state.faults)
            }
            if hasEnded { break }
            guard !hangs else {
                usleep(1000)
                continue
            }
            var interest = pollfd(fd: device, events: Int16(POLLIN), revents: 0)
            guard poll(&interest, 1, 5) > 0 else { continue }
            let count = read(device, &buffer, buffer.count)
            guard count > 0 else {
                // ENOENT: whoever asked has gone meanwhile.
                if [EAGAIN, EINTR, ENOENT].contains(errno) { continue }
                break
            }
            let request = UserDiskRequest(bytes: buffer[..<count])
            guard let answer = files.answer(request, faults) else { continue }
            _ = answer.withUnsafeBytes { write(device, $0.baseAddress, $0.count) }
            if let call = UserDiskFiles.Call(rawValue: request.operation) { note(call) }
        }
        close(device)
        state.withLock { $0.isClosed = true }
    }

    private func note(_ call: UserDiskFiles.Call) {
        state.withLock { state in
            state.asked[call, default: 0] += 1
            guard let (last, count) = state.hangsAt, last == call, state.asked[call, default: 0] >= count else { return }
            (state.hangs, state.hangsAt) = (true, nil)
        }
    }
}

/// What the kernel asks (linux/fuse.h: `struct fuse_in_header` and what follows it).
struct UserDiskRequest {
    let operation: UInt32
    let unique: UInt64
    let node: UInt64
    private let bytes: ArraySlice<UInt8>

    init(bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        operation = Self.number(bytes, at: 4)
        unique = Self.number(bytes, at: 8)
        node = Self.number(bytes, at: 16)
    }

    private static func number<T: FixedWidthInteger>(_ bytes: ArraySlice<UInt8>, at offset: Int) -> T {
        bytes.dropFirst(offset).prefix(MemoryLayout<T>.size).reversed().reduce(0) { $0 << 8 | T($1) }
    }

    /// Of the operation's own part.
    func number<T: FixedWidthInteger>(_ offset: Int, as: T.Type = T.self) -> T { Self.number(bytes, at: 40 + offset) }

    func data(_ offset: Int, _ count: Int) -> ArraySlice<UInt8> { bytes.dropFirst(40 + offset).prefix(count) }

    /// The names from an offset on, each with a NUL at its end.
    func names(_ offset: Int) -> [String] {
        bytes.dropFirst(40 + offset).split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}
