import Synchronization

/// Bounds the streams that are open at a time: in all, and for one caller.
public final class StreamLimits: Sendable {
    private struct Count {
        var total = 0
        var byCaller: [String: Int] = [:]
    }
    private let count = Mutex(Count())
    private let total: Int
    private let perCaller: Int

    /// So many in one process.
    public init(total: Int, perCaller: Int) {
        self.total = total
        self.perCaller = perCaller
    }

    /// One more, as long as what is returned is held.
    /// - Throws: 429 when the caller, 503 when the service has as many as it may.
    public func begin(_ caller: String) throws -> Place {
        try count.withLock { count in
            guard count.total < total else {
                throw PlatformError.unavailable("Too many streams are open; try again later.", retryAfter: 10)
            }
            guard count.byCaller[caller, default: 0] < perCaller else {
                throw PlatformError(.tooManyRequests, "You have \(perCaller) streams open; close some first.", headers: [.retryAfter: "10"])
            }
            count.total += 1
            count.byCaller[caller, default: 0] += 1
        }
        return Place(limits: self, caller: caller)
    }

    private func end(_ caller: String) {
        count.withLock { count in
            count.total -= 1
            let left = count.byCaller[caller, default: 1] - 1
            count.byCaller[caller] = left > 0 ? left : nil
        }
    }

    /// One open stream; ends when it is let go of.
    public final class Place: Sendable {
        private let limits: StreamLimits
        private let caller: String
        fileprivate init(limits: StreamLimits, caller: String) {
            self.limits = limits
            self.caller = caller
        }
        deinit { limits.end(caller) }
    }
}
