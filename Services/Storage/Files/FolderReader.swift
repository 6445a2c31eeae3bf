import Glibc
import Synchronization

/// Reads the entries of a directory piece by piece, each once.
final class FolderReader: Sendable {
    /// A name as the kernel has it, with a NUL at its end.
    struct Entry: Sendable {
        let name: [CChar]
        /// What it is by the directory's own account; nil when it does not say.
        let isDirectory: Bool?

        /// Without the NUL.
        var bytes: [UInt8] { name.withUnsafeBytes { [UInt8]($0.dropLast()) } }
    }

    private let stream: Mutex<OpaquePointer>

    /// Takes over a descriptor, also when it throws.
    init(owning descriptor: CInt) throws(FileFailure) {
        guard let stream = fdopendir(descriptor) else {
            let code = errno
            close(descriptor)
            throw FileFailure(code)
        }
        self.stream = Mutex(stream)
    }

    deinit { _ = stream.withLock { closedir($0) } }

    /// Up to `limit` more entries, without `.` and `..`; none at the end.
    func next(_ limit: Int) throws(FileFailure) -> [Entry] {
        try stream.withLock { (stream) throws(FileFailure) -> [Entry] in
            var entries: [Entry] = []
            while entries.count < limit {
                errno = 0
                guard let raw = readdir(stream) else {
                    guard errno == 0 else { throw FileFailure(errno) }
                    break
                }
                let name = withUnsafePointer(to: &raw.pointee.d_name) { pointer in
                    pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
                        Array(UnsafeBufferPointer(start: $0, count: strlen($0) + 1))
                    }
                }
                if name == [0x2E, 0] || name == [0x2E, 0x2E, 0] { continue }
                let type = Int(raw.pointee.d_type)
                entries.append(Entry(name: name, isDirectory: type == Int(DT_UNKNOWN) ? nil : type == Int(DT_DIR)))
            }
            return entries
        }
    }
}
