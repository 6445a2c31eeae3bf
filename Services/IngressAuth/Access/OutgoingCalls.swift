import ServiceKit
import Synchronization

/// Bounds the calls to other services: in time, in how many run at once, and in how many one principal may cause. (Answers from the cache cost
/// nothing and are not counted.)
final class OutgoingCalls: Sendable {
    /// Nothing was found out; the visitor may try again.
    struct Overloaded: Error {}
    /// This principal asks too much.
    struct TooMany: Error {}

    private let running = Mutex(0)
    private let limit: Int
    private let time: Duration
    private let principals: RateLimiter

    init(limit: Int, time: Duration, perPrincipal: Int) {
        self.limit = limit
        self.time = time
        principals = RateLimiter(perSecond: perPrincipal)
    }

    func run<T: Sendable>(for principal: String, _ body: @escaping @Sendable () async throws -> T) async throws -> T {
        guard principals.admits(principal) else { throw TooMany() }
        guard
            running.withLock({ running in
                guard running < limit else { return false }
                running += 1
                return true
            })
        else { throw Overloaded() }
        defer { running.withLock { $0 -= 1 } }
        return try await withTimeout(time, body)
    }
}
