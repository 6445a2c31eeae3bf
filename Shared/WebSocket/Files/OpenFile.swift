import NIOCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A regular file open for reading; closed when the last reference goes, so a response that is never sent leaks nothing.
public final class OpenFile: Sendable {
    let descriptor: CInt
    /// Its length in bytes when it was opened.
    public let size: Int64
    /// Where it is read and closed when that may take long: a file of another machine's. Nil: by the kernel, where the answer is sent.
    let threads: (any FileThreads)?

    /// - Throws: ``FileError`` with the `errno` of open or fstat; a directory is `EISDIR`.
    public convenience init(path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(code: errno) }
        try self.init(descriptor: descriptor)
    }

    /// Takes over a descriptor that is open for reading, also when it throws.
    /// - Parameter threads: for a file that nobody knows to be there in a moment: nothing but its own answer then waits for it.
    /// - Throws: ``FileError`` with the `errno` of fstat; a directory is `EISDIR`, anything else that is no regular file `EINVAL`.
    public init(descriptor: CInt, threads: (any FileThreads)? = nil) throws {
        var information = stat()
        guard fstat(descriptor, &information) == 0 else {
            let code = errno
            close(descriptor)
            throw FileError(code: code)
        }
        guard information.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw FileError(code: information.st_mode & S_IFMT == S_IFDIR ? EISDIR : EINVAL)
        }
        self.descriptor = descriptor
        self.size = Int64(information.st_size)
        self.threads = threads
    }

    deinit {
        if let threads { threads.close(descriptor) } else { close(descriptor) }
    }

    /// Reads a part (blocking).
    func read(_ range: Range<Int64>) throws -> ByteBuffer {
        var buffer = ByteBuffer()
        var offset = range.lowerBound
        while offset < range.upperBound {
            let count = try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: Int(range.upperBound - offset)) { memory in
                let count = pread(descriptor, memory.baseAddress, Int(range.upperBound - offset), off_t(offset))
                if count < 0 { throw FileError(code: errno) }
                if count == 0 { throw FileTruncated() }
                return count
            }
            offset += Int64(count)
        }
        return buffer
    }

    /// The length now.
    var currentSize: Int64 {
        var information = stat()
        return fstat(descriptor, &information) == 0 ? Int64(information.st_size) : 0
    }
}

/// Threads on which a file system is waited for.
public protocol FileThreads: Sendable {
    /// Runs what blocks.
    /// - Throws: what `body` throws, or when it takes too long.
    func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T

    /// Closes a descriptor some time.
    func close(_ descriptor: CInt)
}

/// A failed system call on a file.
public struct FileError: Error, Sendable, Equatable {
    /// The `errno`.
    public let code: CInt
}
