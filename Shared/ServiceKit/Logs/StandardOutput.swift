import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Writes whole lines to standard output, in the order of the calls. Lines gather for a few milliseconds, so that a busy service does not pay a
/// system call each; an urgent line, a full buffer and the end of the process write at once what has gathered. A reader that is slow slows
/// the writers down; one that went away costs the lines, not the process.
final class StandardOutput: Sendable {
    static let shared: StandardOutput = {
        atexit { StandardOutput.shared.flush() }
        return StandardOutput(descriptor: STDOUT_FILENO)
    }()

    /// Bytes that may wait.
    static let capacity = 256 << 10
    private static let delay = DispatchTimeInterval.milliseconds(10)

    private let descriptor: Int32
    private let waiting = Mutex<[UInt8]>([])
    /// Held while writing, and taken before `waiting`: what was taken first is written first.
    private let turn = Mutex(())
    private let queue = DispatchQueue(label: "orrery.log")

    init(descriptor: Int32) { self.descriptor = descriptor }

    /// Bytes that wait now.
    var waitingBytes: Int { waiting.withLock { $0.count } }

    func write(_ line: String, urgent: Bool) {
        let (isFirst, isFull) = waiting.withLock { waiting in
            let isFirst = waiting.isEmpty
            waiting.append(contentsOf: line.utf8)
            return (isFirst, waiting.count >= StandardOutput.capacity)
        }
        if urgent || isFull {
            flush()
        } else if isFirst {
            queue.asyncAfter(deadline: .now() + StandardOutput.delay) { self.flush() }
        }
    }

    /// Returns when every line handed over before is written.
    func flush() {
        turn.withLock { _ in
            let bytes = waiting.withLock { waiting in
                defer { waiting = [] }
                return waiting
            }
            bytes.withUnsafeBytes(write)
        }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        while let start = rest.baseAddress, !rest.isEmpty {
            #if canImport(Glibc)
                let count = Glibc.write(descriptor, start, rest.count)
            #else
                let count = Darwin.write(descriptor, start, rest.count)
            #endif
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN {
                var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&ready, 1, -1)
                continue
            }
            guard count > 0 else { return }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
        }
    }
}
