import Dispatch

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Waits once for a socket, as libpq asks while it connects and while it sends much.
enum SocketWait {
    enum Direction { case read, write }

    /// True when the socket became ready, false at the deadline or when there is no socket any more.
    static func ready(_ socket: Int32, _ direction: Direction, on queue: DispatchQueue, until deadline: DispatchTime) async -> Bool {
        guard let descriptor = watched(socket) else { return false }
        let wait = Wait()
        let source: any DispatchSourceProtocol =
            switch direction {
            case .read: DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
            case .write: DispatchSource.makeWriteSource(fileDescriptor: descriptor, queue: queue)
            }
        wait.source = source
        await withCheckedContinuation { continuation in
            source.setEventHandler { wait.end(ready: true) }
            source.setCancelHandler {
                close(descriptor)
                continuation.resume()
            }
            queue.asyncAfter(deadline: deadline) { wait.end(ready: false) }
            source.resume()
        }
        return wait.isReady
    }

    /// A descriptor of the same socket to be watched, and closed when its source's cancel handler runs; nil when there is no socket.
    ///
    /// libpq closes its own descriptor the moment it meets the end of a connection. The next connection of the process gets that number
    /// while libdispatch, which knows descriptors by number, still watches it: the newcomer would never hear of its answers.
    static func watched(_ socket: Int32) -> Int32? {
        let copy = socket < 0 ? -1 : fcntl(socket, F_DUPFD_CLOEXEC, 0)
        return copy < 0 ? nil : copy
    }

    /// Touched on the one queue, and by the caller before and after.
    private final class Wait: @unchecked Sendable {
        var source: (any DispatchSourceProtocol)?
        var isReady = false

        func end(ready: Bool) {
            guard let source else { return }
            isReady = ready
            self.source = nil
            source.cancel()
        }
    }
}
