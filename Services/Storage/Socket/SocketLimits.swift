import ServiceKit
import Synchronization

/// Bounds the connections that are open at a time, and with them the memory for their messages.
final class SocketLimits: Sendable {
    private let open = Mutex<[String: Int]>([:])
    private let total: Int
    private let each: Int

    init(total: Int, each: Int) {
        self.total = total
        self.each = each
    }

    /// - Throws: 429 when the caller, 503 when the service has as many as it may.
    func begin(_ caller: String) throws -> Place {
        try open.withLock { open in
            guard open.values.reduce(0, +) < total else {
                throw PlatformError.unavailable("Too many connections are open; try again later.", retryAfter: 10)
            }
            guard open[caller, default: 0] < each else {
                throw PlatformError(.tooManyRequests, "You have \(each) connections open; close some first.", headers: [.retryAfter: "10"])
            }
            open[caller, default: 0] += 1
        }
        return Place(limits: self, caller: caller)
    }

    private func end(_ caller: String) {
        open.withLock { open in
            let left = open[caller, default: 1] - 1
            open[caller] = left > 0 ? left : nil
        }
    }

    /// One open connection; ends when it is let go of.
    final class Place: Sendable {
        private let limits: SocketLimits
        private let caller: String

        fileprivate init(limits: SocketLimits, caller: String) {
            self.limits = limits
            self.caller = caller
        }

        deinit { limits.end(caller) }
    }
}
