import Glibc
import NIOCore

/// A regular file that is written to.
final class WritableFile: Sendable {
    private let descriptor: CInt

    init(_ descriptor: CInt) { self.descriptor = descriptor }

    deinit { close(descriptor) }

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
}
