import Foundation

/// Files that the kernel writes as they are read. They have no size, and Foundation's way of reading a whole file ends early on them.
enum KernelFile {
    /// - Returns: nil when it cannot be read.
    static func text(_ path: String) -> String? {
        guard let handle = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? handle.close() }
        return (try? handle.readToEnd()).map { String(decoding: $0, as: UTF8.self) }
    }
}
