import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Writes whole lines to standard output; lines of several threads do not mix. A reader that went away costs the line, not the process.
enum StandardOutput {
    private static let turn = Mutex(())

    static func write(_ line: String) {
        var line = line
        turn.withLock { _ in
            line.withUTF8 { bytes in
                var rest = UnsafeRawBufferPointer(bytes)
                while let start = rest.baseAddress, !rest.isEmpty {
                    #if canImport(Glibc)
                        let count = Glibc.write(STDOUT_FILENO, start, rest.count)
                    #else
                        let count = Darwin.write(STDOUT_FILENO, start, rest.count)
                    #endif
                    if count < 0, errno == EINTR { continue }
                    guard count > 0 else { return }
                    rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
                }
            }
        }
    }
}
