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
        var entries: [Entry] = []
        _ = try forEach(limit) { name, type in
            let isDirectory = type == DT_UNKNOWN ? nil : type == DT_DIR
            entries.append(Entry(name: Array(UnsafeBufferPointer(start: name, count: strlen(name) + 1)), isDirectory: isDirectory))
        }
        return entries
    }

    /// As ``next(_:)``, the names where the directory's stream has them, with their `d_type`.
    /// - Returns: how many there were.
    func forEach(_ limit: Int, _ body: (UnsafePointer<CChar>, Int) throws(FileFailure) -> Void) throws(FileFailure) -> Int {
        try stream.withLock { (stream) throws(FileFailure) -> Int in
            var count = 0
            while count < limit {
                errno = 0
                guard let raw = readdir(stream) else {
                    guard errno == 0 else { throw FileFailure(errno) }
                    break
                }
                guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { preconditionFailure("dirent has no name") }
                let name = UnsafeRawPointer(raw).advanced(by: offset).assumingMemoryBound(to: CChar.self)
                if name[0] == 0x2E, name[1] == 0 || (name[1] == 0x2E && name[2] == 0) { continue }
                count += 1
                try body(name, Int(raw.pointee.d_type))
            }
            return count
        }
    }
}
