import Glibc
import NIOCore

/// A regular file that is written to.
final class WritableFile: Sendable {
    private let descriptor: CInt
    private let folder: Folder
    private let name: String
    private let work: FileWork
    /// It was made by being opened.
    private let isNew: Bool
    /// Its length when it was opened.
    private let size: Int64

    /// Takes over the descriptor.
    init(_ descriptor: CInt, _ folder: Folder, _ name: String, _ work: FileWork, isNew: Bool, size: Int64) {
        self.descriptor = descriptor
        self.folder = folder
        self.name = name
        self.work = work
        self.isNew = isNew
        self.size = size
    }

    /// Whoever lets go of it last need not be one who may wait.
    deinit { work.close(descriptor) }

    func truncate(to length: Int64) throws(FileFailure) {
        try calling { ftruncate(descriptor, off_t(length)) }
    }

    /// Writes all of the pieces, one after the other from `offset` on.
    func write(_ pieces: [ByteBuffer], at offset: Int64) throws {
        var offset = offset
        for piece in pieces {
            try piece.withUnsafeReadableBytes { bytes in
                var rest = bytes[...]
                while !rest.isEmpty {
                    let count = pwrite(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count, off_t(offset))
                    if count < 0 {
                        if errno == EINTR { continue }
                        throw FileFailure(errno)
                    }
                    rest = rest.dropFirst(count)
                    offset += Int64(count)
                }
            }
        }
    }

    /// A file system of another machine says what did not fit when a descriptor is closed, and not before.
    func finish() throws(FileFailure) {
        let copy = try calling { fcntl(descriptor, F_DUPFD_CLOEXEC, 0) }
        // It is closed, whatever the call says.
        if close(copy) != 0, errno != EINTR { throw FileFailure(errno) }
    }

    /// Takes back what there was no room for: nobody shall find a part where the whole was meant.
    /// - Parameters:
    ///   - end: where the writing would have ended. What somebody else has appended behind it stays.
    ///   - whole: it was the whole of the file that was written.
    func undo(through end: Int64, whole: Bool) {
        var now = stat()
        guard fstat(descriptor, &now) == 0 else { return }
        if isNew || whole {
            guard let there = try? folder.identity(of: name), there == (now.st_dev, now.st_ino) else { return }
            try? folder.remove(name)
        } else if Int64(now.st_size) > size, Int64(now.st_size) <= end {
            _ = ftruncate(descriptor, off_t(size))
        }
    }
}
