import Dispatch

/// Waits once for a socket, as libpq asks while it connects and while it sends much.
enum SocketWait {
    enum Direction { case read, write }

    /// True when the socket became ready, false at the deadline. The source is gone when this returns, so the descriptor may be closed.
    static func ready(_ descriptor: Int32, _ direction: Direction, on queue: DispatchQueue, until deadline: DispatchTime) async -> Bool {
        let wait = Wait()
        let source: any DispatchSourceProtocol =
            switch direction {
            case .read: DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
            case .write: DispatchSource.makeWriteSource(fileDescriptor: descriptor, queue: queue)
            }
        wait.source = source
        await withCheckedContinuation { continuation in
            source.setEventHandler { wait.end(ready: true) }
            source.setCancelHandler { continuation.resume() }
            queue.asyncAfter(deadline: deadline) { wait.end(ready: false) }
            source.resume()
        }
        return wait.isReady
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
