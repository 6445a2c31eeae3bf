import HTTPTypes
import ServiceKit
import Synchronization

/// How often one caller may be refused when it grants and revokes. Such refusals tell whether a name exists, as they must for sharing to
/// work; whoever asks for names one after the other is slowed down. Each replica counts for itself.
///
/// Bound: 10,000 callers, after which those that have waited long enough and then all are forgotten.
final class RefusalLimit: Sendable {
    /// Refusals at once, and a second after that.
    static let burst = 60.0
    static let rate = 1.0
    private static let capacity = 10_000

    private struct Bucket {
        var used: Double
        var at: ContinuousClock.Instant

        func used(at now: ContinuousClock.Instant) -> Double { max(0, used - RefusalLimit.rate * ((now - at) / .seconds(1))) }
    }

    private let buckets = Mutex<[String: Bucket]>([:])

    /// - Throws: 429 while the caller has used up its refusals, whatever it asks: the answer would tell as well.
    func admit(_ caller: String, now: ContinuousClock.Instant = .now) throws {
        let used = buckets.withLock { $0[caller]?.used(at: now) ?? 0 }
        guard used >= Self.burst else { return }
        throw PlatformError(
            .tooManyRequests, "Too many refused requests; try again later",
            headers: [.retryAfter: String(Int((used - Self.burst) / Self.rate) + 1)])
    }

    func refused(_ caller: String, now: ContinuousClock.Instant = .now) {
        buckets.withLock { buckets in
            if buckets.count >= Self.capacity {
                buckets = buckets.filter { $0.value.used(at: now) > 0 }
                if buckets.count >= Self.capacity { buckets.removeAll() }
            }
            buckets[caller] = Bucket(used: (buckets[caller]?.used(at: now) ?? 0) + 1, at: now)
        }
    }
}
