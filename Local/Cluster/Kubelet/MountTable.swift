import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// What is mounted on this machine.
enum MountTable {
    static func current() -> Set<String> {
        let text = KernelFile.text("/proc/self/mounts") ?? ""
        var points: Set<String> = []
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 1 else { continue }
            points.insert(Self.unescaped(fields[1]))
        }
        return points
    }

    /// Takes away what is mounted in a folder, so that it can be removed.
    static func unmountAll(below folder: String) {
        for point in points(below: folder).sorted(by: >) { umount2(point, Int32(MNT_DETACH)) }
    }

    /// Removes a folder with what is in it, but never what is only mounted there: that may be somebody's files.
    static func remove(_ folder: String) throws {
        unmountAll(below: folder)
        guard points(below: folder).isEmpty else { throw EngineError("something is still mounted in \(folder)") }
        if FileManager.default.fileExists(atPath: folder) { try FileManager.default.removeItem(atPath: folder) }
    }

    /// The kernel names places by their real paths.
    private static func points(below folder: String) -> [String] {
        let folder = realPath(folder) ?? folder
        return current().filter { $0.hasPrefix(folder + "/") }
    }

    static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// The kernel writes blanks, tabs, line ends and backslashes as octal numbers.
    private static func unescaped(_ field: Substring) -> String {
        var (bytes, rest) = ([UInt8](), Array(field.utf8)[...])
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), rest.count >= 3, let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8) {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
