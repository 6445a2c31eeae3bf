import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A log that is being written, open for reading; closed when the last reference goes.
final class LogFile: Sendable {
    private let descriptor: CInt
    private let path: String

    /// Nil when there is none.
    init?(path: String) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        self.path = path
        guard descriptor >= 0 else { return nil }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    var size: Int { (try? information())?.size ?? 0 }

    /// The name leads to another file by now: the log was turned over. False when the name is gone.
    var isReplaced: Bool {
        var named = stat()
        guard let own = try? information(), stat(path, &named) == 0 else { return false }
        return own.node != UInt64(named.st_ino)
    }

    private func information() throws -> (size: Int, node: UInt64) {
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { throw IOError(errnoCode: errno, reason: "fstat") }
        return (Int(information.st_size), UInt64(information.st_ino))
    }

    /// What stands at an offset, at most `count` bytes; empty at the end. Reads on a thread for blocking work.
    func read(at offset: Int, count: Int) async throws -> ByteBuffer {
        try await NIOThreadPool.singleton.runIfActive { try self.readBlocking(at: offset, count: count) }
    }

    private func readBlocking(at offset: Int, count: Int) throws -> ByteBuffer {
        var buffer = ByteBuffer()
        _ = try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { memory in
            let result = pread(descriptor, memory.baseAddress, count, off_t(offset))
            guard result >= 0 else { throw IOError(errnoCode: errno, reason: "pread") }
            return result
        }
        return buffer
    }

    /// Where the last `lines` lines begin.
    func start(ofLast lines: Int) async throws -> Int {
        var end = size
        guard lines > 0 else { return end }
        var missing = lines + 1
        while end > 0 {
            let start = max(0, end - 64 << 10)
            let block = try await read(at: start, count: end - start)
            let bytes = block.readableBytesView
            for index in bytes.indices.reversed() where bytes[index] == UInt8(ascii: "\n") {
                missing -= 1
                if missing == 0 { return start + bytes.distance(from: bytes.startIndex, to: index) + 1 }
            }
            end = start
        }
        return 0
    }
}
